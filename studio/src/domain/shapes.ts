// Geometry of what is marked on pictures, in pixels of the picture.

import type { Mark } from '../api/types';
import { boundsOf, covers, type Rect, type Size } from './runs';
import type { Point } from './view';

export type Box = Extract<Mark, { shape: 'box' }>;
export type Polygon = Extract<Mark, { shape: 'polygon' }>;
export type Brush = Extract<Mark, { shape: 'brush' }>;

/** A mark this small was a slip of the hand. */
export const LEAST = 1;

export function boxBetween(a: Point, b: Point, name: string | null): Box {
  return {
    class: name, shape: 'box', x: tenth(Math.min(a[0], b[0])), y: tenth(Math.min(a[1], b[1])), width: tenth(Math.abs(a[0] - b[0])), height: tenth(Math.abs(a[1] - b[1])),
  };
}

/** Nobody points more exactly, and shorter numbers are quicker to send. */
export function tenth(value: number): number {
  return Math.round(value * 10) / 10;
}

export function inside([x, y]: Point, { width, height }: Size): [number, number] {
  return [Math.max(0, Math.min(width, x)), Math.max(0, Math.min(height, y))];
}

const brushBounds = new WeakMap<Brush, Rect>();

export function bounds(mark: Mark): Rect | null {
  if (mark.shape === 'box') return mark;
  if (mark.shape === 'polygon') {
    const xs = mark.points.map((point) => point[0]);
    const ys = mark.points.map((point) => point[1]);
    const [x, y] = [Math.min(...xs), Math.min(...ys)];
    return { x, y, width: Math.max(...xs) - x, height: Math.max(...ys) - y };
  }
  if (mark.shape !== 'brush') return null;
  // A brush never changes: a stroke makes another one.
  const known = brushBounds.get(mark) ?? boundsOf(mark.runs, mark);
  if (known) brushBounds.set(mark, known);
  return known;
}

/** The middle of the rectangle around it. */
export function middleOf(mark: Mark): Point | null {
  const around = bounds(mark);
  return around && [around.x + around.width / 2, around.y + around.height / 2];
}

/** Whether the point is on the mark, or within `reach` of the outline of a box or polygon. */
export function hits(mark: Mark, point: Point, reach: number): boolean {
  const around = bounds(mark);
  if (!around || !within(around, point, reach)) return false;
  if (mark.shape === 'brush') {
    const [x, y] = [Math.floor(point[0]), Math.floor(point[1])];
    return x >= 0 && y >= 0 && x < mark.width && y < mark.height && covers(mark.runs, y * mark.width + x);
  }
  if (mark.shape !== 'polygon') return true;
  return contains(mark.points, point) || mark.points.some((corner, i) => fromLine(point, corner, mark.points[(i + 1) % mark.points.length] ?? corner) <= reach);
}

/** Whether the point is in the rectangle around the mark, or not far from it. */
export function near(mark: Mark, point: Point, reach: number): boolean {
  const around = bounds(mark);
  return around !== null && within(around, point, reach);
}

function within({ x, y, width, height }: Rect, [px, py]: Point, reach: number): boolean {
  return px >= x - reach && px <= x + width + reach && py >= y - reach && py <= y + height + reach;
}

/** Even-odd rule, as the server fills polygons. */
export function contains(points: readonly Point[], [x, y]: Point): boolean {
  let odd = false;
  for (let i = 0, j = points.length - 1; i < points.length; j = i++) {
    const [[xi, yi], [xj, yj]] = [points[i] as Point, points[j] as Point];
    if (yi > y !== yj > y && x < ((xj - xi) * (y - yi)) / (yj - yi) + xi) odd = !odd;
  }
  return odd;
}

function fromLine([px, py]: Point, [ax, ay]: Point, [bx, by]: Point): number {
  const [dx, dy] = [bx - ax, by - ay];
  const length = dx * dx + dy * dy;
  const share = length === 0 ? 0 : Math.max(0, Math.min(1, ((px - ax) * dx + (py - ay) * dy) / length));
  return Math.hypot(px - ax - share * dx, py - ay - share * dy);
}

/** The mark under the point; the smallest, as it could not be reached otherwise. */
export function markAt(marks: readonly Mark[], point: Point, reach: number): number | null {
  let best: number | null = null;
  let least = Infinity;
  marks.forEach((mark, i) => {
    const around = hits(mark, point, reach) ? bounds(mark) : null;
    const area = around ? around.width * around.height : Infinity;
    if (area <= least && around) [best, least] = [i, area];
  });
  return best;
}

/** Moved as a whole, staying within the picture. A brush stays where it was painted. */
export function movedBy(mark: Mark, dx: number, dy: number, size: Size): Mark {
  const around = bounds(mark);
  if (!around || mark.shape === 'brush') return mark;
  const x = Math.max(-around.x, Math.min(size.width - around.x - around.width, dx));
  const y = Math.max(-around.y, Math.min(size.height - around.y - around.height, dy));
  if (mark.shape === 'box') return { ...mark, x: tenth(mark.x + x), y: tenth(mark.y + y) };
  if (mark.shape !== 'polygon') return mark;
  return { ...mark, points: mark.points.map(([px, py]) => [tenth(px + x), tenth(py + y)]) };
}

/** Where a mark can be taken hold of: the corners and sides of a box, clockwise from the top left; the corners of a polygon. */
export function handles(mark: Mark): [number, number][] {
  if (mark.shape === 'polygon') return mark.points;
  if (mark.shape !== 'box') return [];
  const { x, y, width, height } = mark;
  const [cx, cy, right, bottom] = [x + width / 2, y + height / 2, x + width, y + height];
  return [[x, y], [cx, y], [right, y], [right, cy], [right, bottom], [cx, bottom], [x, bottom], [x, cy]];
}

/** The handle near the point, if any. */
export function handleAt(mark: Mark, point: Point, reach: number): number | null {
  const gaps = handles(mark).map(([x, y]) => Math.hypot(x - point[0], y - point[1]));
  const least = Math.min(...gaps);
  return least <= reach ? gaps.indexOf(least) : null;
}

/** With one handle at another place. */
export function handleTo(mark: Mark, handle: number, to: Point, size: Size): Mark {
  const [x, y] = inside(to, size).map(tenth) as [number, number];
  if (mark.shape === 'polygon') return { ...mark, points: mark.points.map((point, i) => (i === handle ? [x, y] : point)) };
  if (mark.shape !== 'box') return mark;
  const sides = { left: mark.x, top: mark.y, right: mark.x + mark.width, bottom: mark.y + mark.height };
  if ([0, 6, 7].includes(handle)) sides.left = Math.min(x, sides.right - LEAST);
  if ([2, 3, 4].includes(handle)) sides.right = Math.max(x, sides.left + LEAST);
  if ([0, 1, 2].includes(handle)) sides.top = Math.min(y, sides.bottom - LEAST);
  if ([4, 5, 6].includes(handle)) sides.bottom = Math.max(y, sides.top + LEAST);
  return { ...mark, x: tenth(sides.left), y: tenth(sides.top), width: tenth(sides.right - sides.left), height: tenth(sides.bottom - sides.top) };
}
