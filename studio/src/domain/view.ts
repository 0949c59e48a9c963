// The part of a picture that is seen: how large it is drawn and where its corner lies on the screen.

import type { Size } from './runs';

export interface View {
  /** Screen pixels for one pixel of the picture. */
  scale: number;
  /** Where the picture's top left corner is, in screen pixels of the frame. */
  x: number;
  y: number;
}

export type Point = readonly [number, number];

const CLOSEST = 40;
/** So much of the picture stays in the frame, in screen pixels. */
const KEPT = 48;

/** The whole picture in the middle of the frame; small ones grow, so that what matters can be seen. */
export function fitted(picture: Size, frame: Size): View {
  const scale = Math.min(frame.width / picture.width, frame.height / picture.height) || 1;
  return centred({ scale, x: 0, y: 0 }, picture, frame);
}

function centred(view: View, picture: Size, frame: Size): View {
  return { ...view, x: (frame.width - picture.width * view.scale) / 2, y: (frame.height - picture.height * view.scale) / 2 };
}

export function toPicture({ scale, x, y }: View, [sx, sy]: Point): [number, number] {
  return [(sx - x) / scale, (sy - y) / scale];
}

export function toScreen({ scale, x, y }: View, [px, py]: Point): [number, number] {
  return [px * scale + x, py * scale + y];
}

/** Larger or smaller, at most to `closest`, with the point under the pointer staying where it is. */
export function zoomed(view: View, by: number, at: Point, picture: Size, frame: Size, closest = CLOSEST): View {
  const fit = fitted(picture, frame).scale;
  const scale = Math.max(fit * 0.5, Math.min(Math.max(closest, fit), view.scale * by));
  const real = scale / view.scale;
  return held({ scale, x: at[0] - (at[0] - view.x) * real, y: at[1] - (at[1] - view.y) * real }, picture, frame);
}

export function panned(view: View, dx: number, dy: number, picture: Size, frame: Size): View {
  return held({ ...view, x: view.x + dx, y: view.y + dy }, picture, frame);
}

/** Pans just enough for the point to be in the frame, with some room around. */
export function following(view: View, at: Point, picture: Size, frame: Size): View {
  const room = Math.min(KEPT, frame.width / 4, frame.height / 4);
  const [x, y] = toScreen(view, at);
  const dx = Math.max(0, room - x) - Math.max(0, x - (frame.width - room));
  const dy = Math.max(0, room - y) - Math.max(0, y - (frame.height - room));
  return dx === 0 && dy === 0 ? view : panned(view, dx, dy, picture, frame);
}

/** Keeps the picture from being lost outside the frame. */
function held(view: View, picture: Size, frame: Size): View {
  const [width, height] = [picture.width * view.scale, picture.height * view.scale];
  const kept = (at: number, length: number, room: number): number => {
    const least = Math.min(KEPT, length);
    return Math.max(least - length, Math.min(room - least, at));
  };
  return { ...view, x: kept(view.x, width, frame.width), y: kept(view.y, height, frame.height) };
}
