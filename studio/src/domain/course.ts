// Geometry of a sensor's course: in each place a stroke from the least to the greatest value, joined to the one before.

export type Ends = readonly [number, number] | null;

export interface Range {
  low: number;
  high: number;
}

/** Null where no value is there. */
export function rangeOf(values: readonly Ends[]): Range | null {
  const there = values.filter((ends) => ends !== null);
  if (there.length === 0) return null;
  return { low: Math.min(...there.map(([low]) => low)), high: Math.max(...there.map(([, high]) => high)) };
}

/** A path in a field of this size; where values are missing it breaks off, and a flat course lies in the middle. */
export function coursePath(values: readonly Ends[], range: Range, width: number, height: number): string {
  const x = (place: number): number => round(values.length === 1 ? width / 2 : (place / (values.length - 1)) * width);
  const y = (value: number): number => round(range.high > range.low ? height - ((value - range.low) / (range.high - range.low)) * height : height / 2);
  let path = '';
  let last: number | null = null;
  for (const [place, ends] of values.entries()) {
    if (ends === null) {
      last = null;
      continue;
    }
    // The nearer end first, so that the line goes on from where it is.
    const [low, high] = ends;
    const turned: boolean = last !== null && Math.abs(high - last) < Math.abs(low - last);
    const [first, second]: [number, number] = turned ? [high, low] : [low, high];
    path += `${last === null ? 'M' : 'L'}${x(place)} ${y(first)}`;
    if (second !== first) path += `V${y(second)}`;
    // A lone place without a stroke would not be drawn.
    else if (last === null) path += 'h.01';
    last = second;
  }
  return path;
}

function round(value: number): number {
  return Math.round(value * 100) / 100;
}
