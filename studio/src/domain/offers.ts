// Marks that are suggested: which of them are still to be answered, and as what each would be kept.

import type { Mark, SuggestedMark } from '../api/types';
import { encode, MOST_RUNS, nMarked, type Rect, type Size } from './runs';
import { bounds, tenth, type Box, type Brush, type Polygon } from './shapes';
import type { Span, Stretch } from './spans';

/** From this overlap of both rectangles on, or this share of a stretch of sound, the same thing is marked already. */
const SAME = 0.5;

/** Whether what is suggested is marked already, whoever did it. */
export function isMarked(suggested: Mark, marks: readonly Mark[]): boolean {
  if (suggested.shape === 'span') return marks.some((mark) => mark.shape === 'span' && mark.start < suggested.end && suggested.start < mark.end);
  if (suggested.shape === 'segment') return covered(suggested, marks) >= SAME;
  const around = bounds(suggested);
  if (!around) return false;
  return marks.some((mark) => {
    const other = bounds(mark);
    return other !== null && overlap(around, other) >= SAME;
  });
}

/** How much of a stretch of sound lies under marks, as a share of it. */
export function covered({ start, end }: Stretch, marks: readonly Mark[]): number {
  const segments = marks.flatMap((mark) => (mark.shape === 'segment' ? [mark] : [])).sort((a, b) => a.start - b.start);
  let [under, from] = [0, start];
  for (const mark of segments) {
    from = Math.max(from, mark.start);
    const to = Math.min(end, mark.end);
    if (to > from) [under, from] = [under + to - from, to];
  }
  return under / (end - start);
}

/** What both have in common, as a share of what either has: 0 apart, 1 the same. */
export function overlap(a: Rect, b: Rect): number {
  const across = Math.max(0, Math.min(a.x + a.width, b.x + b.width) - Math.max(a.x, b.x));
  const down = Math.max(0, Math.min(a.y + a.height, b.y + b.height) - Math.max(a.y, b.y));
  const both = across * down;
  return both === 0 ? 0 : both / (a.width * a.height + b.width * b.height - both);
}

/** Whether it begins and ends where words do: the server knows no words of scripts without blanks, the browser does. */
export function isWhole({ start, end }: Stretch, words: readonly Stretch[]): boolean {
  return !words.some((word) => (word.start < start && start < word.end) || (word.start < end && end < word.end));
}

/** Those that are still to be answered: neither accepted nor refused, nor marked already by somebody. */
export function stillOpen(all: readonly SuggestedMark[], answered: ReadonlySet<SuggestedMark | undefined>, marks: readonly Mark[], words: readonly Stretch[]): SuggestedMark[] {
  return all.filter((one) => !answered.has(one) && !isMarked(one.mark, marks) && (one.mark.shape !== 'span' || isWhole(one.mark as Span, words)));
}

/** As it is kept with this tool in hand: its box, what a brush would have painted, or the outline. */
export function shapedFor(tool: string, mark: Mark, size: Size, mayBrush: boolean): Mark {
  if (mark.shape !== 'polygon') return mark;
  if (tool === 'box') return boxAround(mark);
  return (tool === 'brush' && mayBrush ? painted(mark, size) : null) ?? mark;
}

export function boxAround({ points: _, ...mark }: Polygon): Box {
  const { x, y, width, height } = bounds({ ...mark, points: _ }) ?? { x: 0, y: 0, width: 0, height: 0 };
  return { ...mark, shape: 'box', x: tenth(x), y: tenth(y), width: tenth(width), height: tenth(height) };
}

/** The pixels whose middle is inside; null where there are none, or the edge is too ragged to be kept. */
export function painted({ points, ...mark }: Polygon, size: Size): Brush | null {
  const { width, height } = size;
  const mask = new Uint8Array(width * height);
  for (let row = 0; row < height; row += 1) {
    const edges = crossings(points, row + 0.5);
    for (let i = 0; i + 1 < edges.length; i += 2) {
      const from = Math.max(0, Math.ceil((edges[i] ?? 0) - 0.5));
      const to = Math.min(width, Math.ceil((edges[i + 1] ?? 0) - 0.5));
      if (from < to) mask.fill(1, row * width + from, row * width + to);
    }
  }
  const runs = encode(mask);
  return runs.length > MOST_RUNS || nMarked(runs) === 0 ? null : { ...mark, shape: 'brush', width, height, runs };
}

/** Where a horizontal line crosses an outline, from the left. */
function crossings(points: Polygon['points'], y: number): number[] {
  const found: number[] = [];
  points.forEach(([xa, ya], i) => {
    const [xb, yb] = points[(i + 1) % points.length] ?? [xa, ya];
    if (ya > y !== yb > y) found.push(xa + ((y - ya) / (yb - ya)) * (xb - xa));
  });
  return found.sort((a, b) => a - b);
}
