// Which examples are selected: by position, so that a hundred thousand cost one range.

export interface Range {
  from: number;
  /** One past the last. */
  to: number;
}

export interface Selection {
  ranges: readonly Range[];
  /** Where Shift-click extends from. */
  anchor: number | null;
}

export const nothing: Selection = { ranges: [], anchor: null };

export function has(selection: Selection, index: number): boolean {
  return selection.ranges.some((range) => index >= range.from && index < range.to);
}

export function count(selection: Selection): number {
  return selection.ranges.reduce((sum, range) => sum + range.to - range.from, 0);
}

export function only(index: number): Selection {
  return { ranges: [{ from: index, to: index + 1 }], anchor: index };
}

export function all(total: number): Selection {
  return total === 0 ? nothing : { ranges: [{ from: 0, to: total }], anchor: 0 };
}

export function toggle(selection: Selection, index: number): Selection {
  const one = { from: index, to: index + 1 };
  const ranges = has(selection, index) ? subtract(selection.ranges, one) : merge([...selection.ranges, one]);
  return { ranges, anchor: index };
}

export function extend(selection: Selection, index: number): Selection {
  const anchor = selection.anchor ?? index;
  const range = { from: Math.min(anchor, index), to: Math.max(anchor, index) + 1 };
  return { ranges: merge([...selection.ranges, range]), anchor };
}

export function* indices(selection: Selection): Generator<number> {
  for (const range of selection.ranges) for (let index = range.from; index < range.to; index += 1) yield index;
}

function merge(ranges: Range[]): Range[] {
  const sorted = ranges.toSorted((a, b) => a.from - b.from);
  const merged: Range[] = [];
  for (const range of sorted) {
    const last = merged.at(-1);
    if (last && range.from <= last.to) last.to = Math.max(last.to, range.to);
    else merged.push({ ...range });
  }
  return merged;
}

function subtract(ranges: readonly Range[], hole: Range): Range[] {
  return ranges.flatMap((range) => {
    if (hole.to <= range.from || hole.from >= range.to) return [range];
    return [
      { from: range.from, to: Math.max(range.from, hole.from) },
      { from: Math.min(range.to, hole.to), to: range.to },
    ].filter((piece) => piece.from < piece.to);
  });
}
