// What a brush marks: a mask of the whole picture, one byte a pixel, and its run lengths, row by row, beginning with a
// run of unmarked pixels. Masks are for painting, runs for keeping.

export interface Size {
  width: number;
  height: number;
}

export interface Rect {
  x: number;
  y: number;
  width: number;
  height: number;
}

/** More pixels than this the server takes for no brush. */
export const MOST_PIXELS = 64_000_000;
export const MOST_RUNS = 200_000;

/** The search for the end of a run is the browser's own: 12 million pixels take milliseconds. */
export function encode(mask: Uint8Array): number[] {
  const runs: number[] = [];
  let at = 0;
  let wanted = 1;
  while (at < mask.length) {
    const found = mask.indexOf(wanted, at);
    const end = found < 0 ? mask.length : found;
    runs.push(end - at);
    at = end;
    wanted = 1 - wanted;
  }
  return runs;
}

export function decode(runs: readonly number[], { width, height }: Size): Uint8Array {
  const mask = new Uint8Array(width * height);
  for (const [from, to] of marked(runs)) mask.fill(1, from, to);
  return mask;
}

/** The marked stretches, as positions in the mask; the end is one past the last. */
export function* marked(runs: readonly number[]): Generator<[number, number]> {
  let at = 0;
  for (let i = 0; i < runs.length; i += 1) {
    const length = runs[i] ?? 0;
    if (i % 2 === 1 && length > 0) yield [at, at + length];
    at += length;
  }
}

export function nMarked(runs: readonly number[]): number {
  let sum = 0;
  for (let i = 1; i < runs.length; i += 2) sum += runs[i] ?? 0;
  return sum;
}

/** Marked in one or the other, without a mask in between. */
export function union(a: readonly number[], b: readonly number[]): number[] {
  const total = Math.max(sum(a), sum(b));
  const stretches = [...marked(a), ...marked(b)].sort((one, other) => one[0] - other[0]);
  const runs: number[] = [];
  let at = 0;
  let open: [number, number] | null = null;
  const close = (): void => {
    if (!open) return;
    runs.push(open[0] - at, open[1] - open[0]);
    at = open[1];
  };
  for (const [from, to] of stretches) {
    if (open && from <= open[1]) open[1] = Math.max(open[1], to);
    else {
      close();
      open = [from, to];
    }
  }
  close();
  if (at < total || runs.length === 0) runs.push(total - at);
  return runs;
}

function sum(runs: readonly number[]): number {
  return runs.reduce((a, b) => a + b, 0);
}

/** Whether this pixel is marked. */
export function covers(runs: readonly number[], index: number): boolean {
  for (const [from, to] of marked(runs)) {
    if (from > index) return false;
    if (index < to) return true;
  }
  return false;
}

/** The smallest rectangle around what is marked; null for nothing. */
export function boundsOf(runs: readonly number[], { width }: Size): Rect | null {
  let [left, right, top, bottom] = [width, 0, Infinity, -1];
  for (const [from, to] of marked(runs)) {
    const [first, last] = [Math.floor(from / width), Math.floor((to - 1) / width)];
    top = Math.min(top, first);
    bottom = Math.max(bottom, last);
    left = Math.min(left, first === last ? from % width : 0);
    right = Math.max(right, first === last ? ((to - 1) % width) + 1 : width);
  }
  return bottom < 0 ? null : { x: left, y: top, width: right - left, height: bottom - top + 1 };
}

/** Sets every pixel whose middle is within `radius` of the point; returns nothing changed outside the picture. */
export function paintDisc(mask: Uint8Array, size: Size, x: number, y: number, radius: number, value: 0 | 1): void {
  paintLine(mask, size, [x, y], [x, y], radius, value);
}

/** Sets what a round brush touches on its way from one point to the other. */
export function paintLine(mask: Uint8Array, { width, height }: Size, from: readonly [number, number], to: readonly [number, number], radius: number, value: 0 | 1): void {
  const [x0, y0] = from;
  const [x1, y1] = to;
  const [dx, dy] = [x1 - x0, y1 - y0];
  const squared = dx * dx + dy * dy;
  const first = Math.max(0, Math.ceil(Math.min(y0, y1) - radius - 0.5));
  const last = Math.min(height - 1, Math.floor(Math.max(y0, y1) + radius - 0.5));
  for (let row = first; row <= last; row += 1) {
    const y = row + 0.5;
    let left = Infinity;
    let right = -Infinity;
    const reach = (cx: number, cy: number): void => {
      const half = radius * radius - (y - cy) * (y - cy);
      if (half < 0) return;
      left = Math.min(left, cx - Math.sqrt(half));
      right = Math.max(right, cx + Math.sqrt(half));
    };
    reach(x0, y0);
    reach(x1, y1);
    if (squared > 0) {
      // Between the two discs lies a band with straight sides, `radius` off the line.
      const [nx, ny] = [(-dy / Math.sqrt(squared)) * radius, (dx / Math.sqrt(squared)) * radius];
      for (const side of [1, -1]) {
        if (dy === 0) continue;
        const share = (y - (y0 + side * ny)) / dy;
        if (share < 0 || share > 1) continue;
        const edge = x0 + side * nx + share * dx;
        left = Math.min(left, edge);
        right = Math.max(right, edge);
      }
    }
    const start = Math.max(0, Math.ceil(left - 0.5));
    const end = Math.min(width, Math.floor(right - 0.5) + 1);
    if (start < end) mask.fill(value, row * width + start, row * width + end);
  }
}
