// What can be said about models: which is better, and what a promised error rate costs.

import type { Dataset, Estimate, Measured, Model, Proved } from '../api/types';
import { estimateText, percent, plainText, type EstimateText } from './format';

/** The measure to show first. */
export function headline(model: Model): Measured | null {
  return model.measures[0] ?? null;
}

/** Whether a metric is a share of something, to be written in percent; losses are plain numbers. */
export function isShare(metric: string): boolean {
  return /accuracy|f1|recall|precision|false-alarms|auroc|image-ap|aupro|aupimo|found|called|marked/.test(metric);
}

export function measuredText({ metric, estimate }: Pick<Measured, 'metric' | 'estimate'>, locale: string): EstimateText {
  return isShare(metric) ? estimateText(estimate, locale) : plainText(estimate, locale);
}

/** One value of a metric, without an interval: an axis, what guessing brings. */
export function valueText(metric: string, value: number, locale: string): string {
  return isShare(metric) ? percent(value, locale) : value.toLocaleString(locale, { maximumSignificantDigits: 3 });
}

/** A model in a list: its name, and how good it is where that is a share. */
export function modelTitle(model: Model, locale: string): string {
  const first = headline(model);
  return first && isShare(first.metric) ? `${model.name} · ${estimateText(first.estimate, locale).value}` : model.name;
}

/** Whether there are labels enough to begin with. The server says when they are too few all the same. */
export function mayTune({ task, inspects, classes, n_labelled }: Pick<Dataset, 'task' | 'inspects' | 'classes' | 'n_labelled'>): boolean {
  // An inspector needs good parts only.
  if (inspects) return n_labelled > 0;
  return task === 'class' ? classes.filter((one) => one.count > 0).length >= 2 : n_labelled >= 2;
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
