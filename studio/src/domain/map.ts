// Many points on a plane: drawing them pixel by pixel, finding the one under the pointer and those within a lasso.
// Everything is in typed arrays, and a frame costs no allocation.

import { contains } from './shapes';
import type { Size } from './runs';
import type { Point, View } from './view';

export interface Cloud {
  x: Float32Array;
  y: Float32Array;
  n: number;
}

export function cloudOf(x: readonly number[], y: readonly number[]): Cloud {
  return { x: Float32Array.from(x), y: Float32Array.from(y), n: Math.min(x.length, y.length) };
}

/** 0xAABBGGRR, as the bytes of a canvas lie in memory on every machine that browsers run on. */
export function packed([r, g, b]: readonly [number, number, number]): number {
  const byte = (share: number): number => Math.round(Math.max(0, Math.min(1, share)) * 255);
  return ((255 << 24) | (byte(b) << 16) | (byte(g) << 8) | byte(r)) >>> 0;
}

/** The points in the order in which they are drawn, each with the value of its pixels. */
export interface Drawn {
  x: Float32Array;
  y: Float32Array;
  value: Uint32Array;
}

/** Points of the first colour are drawn first, under the others. `colour` is for each point its place in the palette. */
export function arranged({ x, y, n }: Cloud, colour: Uint8Array, palette: Uint32Array): Drawn {
  const order = orderOf(colour);
  const drawn = { x: new Float32Array(n), y: new Float32Array(n), value: new Uint32Array(n) };
  for (let k = 0; k < n; k += 1) {
    const i = order[k] as number;
    drawn.x[k] = x[i] as number;
    drawn.y[k] = y[i] as number;
    drawn.value[k] = palette[colour[i] as number] as number;
  }
  return drawn;
}

/** These points, all of one colour: to be drawn over the others. */
export function marked({ x, y }: Cloud, points: readonly number[], value: number): Drawn {
  return { x: Float32Array.from(points, (i) => x[i] ?? 0), y: Float32Array.from(points, (i) => y[i] ?? 0), value: new Uint32Array(points.length).fill(value) };
}

function orderOf(colour: Uint8Array): Uint32Array {
  const starts = new Uint32Array(257);
  for (const one of colour) starts[one + 1] = (starts[one + 1] ?? 0) + 1;
  for (let i = 1; i < 257; i += 1) starts[i] = (starts[i] ?? 0) + (starts[i - 1] ?? 0);
  const order = new Uint32Array(colour.length);
  for (let i = 0; i < colour.length; i += 1) {
    const one = colour[i] as number;
    const at = starts[one] as number;
    order[at] = i;
    starts[one] = at + 1;
  }
  return order;
}

/** Draws what can be seen of the points as small squares, `2 half + 1` pixels wide. */
export function paint(pixels: Uint32Array, { width, height }: Size, view: View, { x, y, value }: Drawn, half: number): void {
  const side = 2 * half + 1;
  // Halves are rounded up by the cut to whole numbers below.
  const [dx, dy] = [view.x - half + 0.5, view.y - half + 0.5];
  for (let k = 0; k < value.length; k += 1) {
    const left = Math.floor((x[k] as number) * view.scale + dx);
    const top = Math.floor((y[k] as number) * view.scale + dy);
    if (left + side <= 0 || top + side <= 0 || left >= width || top >= height) continue;
    const from = left < 0 ? 0 : left;
    const to = left + side > width ? width : left + side;
    const bottom = top + side > height ? height : top + side;
    const colour = value[k] as number;
    for (let row = top < 0 ? 0 : top; row < bottom; row += 1) {
      const end = row * width + to;
      for (let at = row * width + from; at < end; at += 1) pixels[at] = colour;
    }
  }
}

/** Which points lie in which cell of the plane, so that a look at a place costs what is there. */
export class Grid {
  static readonly CELLS = 256;
  readonly #cloud: Cloud;
  readonly #starts = new Uint32Array(Grid.CELLS * Grid.CELLS + 1);
  readonly #points: Uint32Array;

  constructor(cloud: Cloud) {
    this.#cloud = cloud;
    this.#points = new Uint32Array(cloud.n);
    const cells = new Uint16Array(cloud.n);
    for (let i = 0; i < cloud.n; i += 1) {
      const cell = place(cloud.y[i] as number) * Grid.CELLS + place(cloud.x[i] as number);
      cells[i] = cell;
      this.#starts[cell + 1] = (this.#starts[cell + 1] as number) + 1;
    }
    for (let i = 1; i < this.#starts.length; i += 1) this.#starts[i] = (this.#starts[i] as number) + (this.#starts[i - 1] as number);
    const next = this.#starts.slice();
    for (let i = 0; i < cloud.n; i += 1) {
      const cell = cells[i] as number;
      this.#points[next[cell] as number] = i;
      next[cell] = (next[cell] as number) + 1;
    }
  }

  /** The nearest point within `reach` of the place; null for none. */
  nearest([x, y]: Point, reach: number): number | null {
    let best: number | null = null;
    let least = reach * reach;
    this.#within(x - reach, y - reach, x + reach, y + reach, (i, px, py) => {
      const gap = (px - x) * (px - x) + (py - y) * (py - y);
      if (gap <= least) [best, least] = [i, gap];
    });
    return best;
  }

  /** All points inside the outline. */
  inside(outline: readonly Point[]): number[] {
    if (outline.length < 3) return [];
    const xs = outline.map(([x]) => x);
    const ys = outline.map(([, y]) => y);
    const found: number[] = [];
    this.#within(Math.min(...xs), Math.min(...ys), Math.max(...xs), Math.max(...ys), (i, x, y) => {
      if (contains(outline, [x, y])) found.push(i);
    });
    return found;
  }

  #within(left: number, top: number, right: number, bottom: number, see: (i: number, x: number, y: number) => void): void {
    for (let row = place(top); row <= place(bottom); row += 1) {
      const first = this.#starts[row * Grid.CELLS + place(left)] as number;
      const end = this.#starts[row * Grid.CELLS + place(right) + 1] as number;
      for (let k = first; k < end; k += 1) {
        const i = this.#points[k] as number;
        const [x, y] = [this.#cloud.x[i] as number, this.#cloud.y[i] as number];
        if (x >= left && x <= right && y >= top && y <= bottom) see(i, x, y);
      }
    }
  }
}

function place(share: number): number {
  return Math.max(0, Math.min(Grid.CELLS - 1, Math.floor(share * Grid.CELLS)));
}

/** A rectangle as an outline. */
export function corners([ax, ay]: Point, [bx, by]: Point): Point[] {
  return [[ax, ay], [bx, ay], [bx, by], [ax, by]];
}

/** Fifths of numbers: where each but the last ends, and which of them each number is in, from 0. Equal numbers are in one of them. */
export function fifths(values: readonly (number | null | undefined)[]): { ends: number[]; of: (value: number) => number } {
  const sorted = values.filter((value) => value != null).sort((a, b) => a - b);
  const ends = [1, 2, 3, 4].map((k) => sorted[Math.ceil((k * sorted.length) / 5) - 1]).filter((end) => end !== undefined);
  // The largest number ends the last of them, which has no end of its own.
  const parting = [...new Set(ends)].filter((end) => end !== sorted.at(-1));
  return { ends: parting, of: (value) => parting.filter((end) => value > end).length };
}
