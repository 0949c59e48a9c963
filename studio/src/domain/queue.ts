// The examples to label next, kept a little ahead of the person.

/** How many of those coming stay in place when a fresher order arrives: their pictures are already here. */
export const KEEP = 3;

interface Known {
  id: string;
}

/** The held queue with a fresher one behind it; what was labelled or skipped does not come back. */
export function mergeQueue<T extends Known>(held: readonly T[], fresh: readonly T[], done: ReadonlySet<string>): T[] {
  const kept = held.slice(0, KEEP);
  const ids = new Set(kept.map((example) => example.id));
  return [...kept, ...fresh.filter((example) => !ids.has(example.id) && !done.has(example.id))];
}

/** Milliseconds somebody looked at an example; null when it cannot be known, as the page was away meanwhile. */
export function lookedFor(shownAt: number, now: number, wasHidden: boolean): number | null {
  return wasHidden ? null : Math.max(0, Math.round(now - shownAt));
}

/** The middle of the recent times, in seconds: one long pause does not make somebody slow. */
export function typicalSeconds(milliseconds: readonly number[]): number | null {
  if (milliseconds.length < 3) return null;
  const sorted = milliseconds.toSorted((a, b) => a - b);
  return (sorted[Math.floor(sorted.length / 2)] ?? 0) / 1000;
}
