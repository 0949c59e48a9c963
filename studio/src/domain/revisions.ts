// States of a dataset: which two are compared, and what people did between them.

import type { Did, Point } from '../api/types';

export interface Pair {
  from: number;
  to: number;
}

/** What an address asks for; the last two states where it asks for none that are there. 0 is the empty dataset. */
export function pairOf(points: readonly Point[], query: { from?: string; to?: string }): Pair {
  const newest = points[0]?.seq ?? 0;
  const asked = (text: string | undefined): number | null => {
    const seq = text === undefined || text === '' ? Number.NaN : Number(text);
    return Number.isInteger(seq) && seq >= 0 && seq <= newest ? seq : null;
  };
  const to = asked(query.to) ?? newest;
  return { from: asked(query.from) ?? before(points, to), to };
}

/** The state before one: the empty dataset where there is none. */
export function before(points: readonly Point[], seq: number): number {
  return points.find((point) => point.seq < seq)?.seq ?? 0;
}

export type Deed = 'label' | 'decide' | 'undo' | 'rename' | 'restore' | 'marks' | 'presence';

/** What one person did, by kind: marks and examples that were taken out are told as such, whatever was done with them, unless it is how they were before. */
export function deeds(changes: readonly Did[]): { by: string | null; deed: Deed; n: number }[] {
  const sums = new Map<string, { by: string | null; deed: Deed; n: number }>();
  for (const { by, what, act, n } of changes) {
    const deed = what === 'label' || act === 'settle' || act === 'restore' ? labelDeed(act) : what === 'marking' ? 'marks' : what;
    const key = `${deed} ${by ?? ''}`;
    const sum = sums.get(key) ?? { by, deed, n: 0 };
    sums.set(key, { ...sum, n: sum.n + n });
  }
  return [...sums.values()].toSorted((a, b) => b.n - a.n);
}

function labelDeed(act: string): Deed {
  // Who settles a dispute decides.
  if (act === 'settle') return 'decide';
  return act === 'decide' || act === 'undo' || act === 'rename' || act === 'restore' ? act : 'label';
}
