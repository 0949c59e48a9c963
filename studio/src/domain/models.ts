// What can be said about models: which is better, and what a promised error rate costs.

import type { Estimate, Measured, Model, Proved } from '../api/types';

/** The measure to show first. */
export function headline(model: Model): Measured | null {
  return model.measures[0] ?? null;
}

/** Whether a metric is a share of something, to be written in percent; losses are plain numbers. */
export function isShare(metric: string): boolean {
  return /accuracy|f1|recall|precision|false-alarms|auroc|image-ap|aupro|aupimo|found|called/.test(metric);
}

/** A name for the next model of a dataset: `tiles 3` after `tiles 1` and `tiles 2`. */
export function nextName(dataset: string, names: readonly string[]): string {
  const numbers = names.filter((name) => name.startsWith(`${dataset} `)).map((name) => Number(name.slice(dataset.length + 1)));
  return `${dataset} ${1 + Math.max(0, ...numbers.filter(Number.isInteger))}`;
}

export type Comparison = 'same' | 'maybe' | 'better';

/**
 * How sure a difference is. `same`: one value lies in the interval of the other, so nothing can be told. `better`: the
 * intervals are apart. `maybe`: in between. The first argument is the one with the higher value.
 */
export function compare(higher: Estimate, lower: Estimate): Comparison {
  if (higher.low > lower.high) return 'better';
  return lower.high >= higher.value || higher.low <= lower.value ? 'same' : 'maybe';
}

/** The error rates that the server tries to prove. */
export const targets = [0.01, 0.02, 0.05, 0.1, 0.2] as const;

/** What was proved for this error rate; null when the labels are too few for it. */
export function provedFor(promises: readonly Proved[], target: number): Proved | null {
  return promises.find((promise) => Math.abs(promise.target_error - target) < 1e-9) ?? null;
}

/** The lowest error rate that was proved. */
export function lowestProved(promises: readonly Proved[]): number | null {
  return promises.length === 0 ? null : Math.min(...promises.map((promise) => promise.target_error));
}

export function nearestTarget(target: number): number {
  const gaps = targets.map((one) => Math.abs(one - target));
  return gaps.indexOf(Math.min(...gaps));
}

/** How strongly a cell of the confusion matrix is coloured: its share of its row. */
export function rowShares(counts: readonly (readonly number[])[]): number[][] {
  return counts.map((row) => {
    const sum = row.reduce((a, b) => a + b, 0);
    return row.map((n) => (sum === 0 ? 0 : n / sum));
  });
}
