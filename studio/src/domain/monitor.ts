// How a deployment does: days in a row, shares with their intervals, and what the tests say in words.

import type { Day, Drift, Estimate, Mix, Model } from '../api/types';

const Z = 1.959964;
/** Below this chance a difference counts as one. It is looked at often, so it is stricter than usual. */
const RARE = 0.001;
const DAY_MS = 86_400_000;

/** A share with its 95 % interval by Wilson (1927), which holds for few and for extreme shares, too; null of nothing. */
export function wilson(count: number, n: number): Estimate | null {
  if (n === 0) return null;
  const value = count / n;
  const middle = (value + (Z * Z) / (2 * n)) / (1 + (Z * Z) / n);
  const half = (Z / (1 + (Z * Z) / n)) * Math.sqrt((value * (1 - value)) / n + (Z * Z) / (4 * n * n));
  // At the ends the formula gives the share itself, but for rounding.
  const low = count === 0 ? 0 : Math.max(0, middle - half);
  const high = count === n ? 1 : Math.min(1, middle + half);
  return { value, low, high, n };
}

/** The last `n` days in universal time up to `now`, those without requests among them. */
export function everyDay(days: readonly Day[], n: number, now: number): Day[] {
  const known = new Map(days.map((day) => [day.day, day]));
  return Array.from({ length: n }, (_, i) => {
    const day = new Date(now - (n - 1 - i) * DAY_MS).toISOString().slice(0, 10);
    return known.get(day) ?? { day, n_requests: 0, answers: [], n_doubtful: 0, latency_ms_p50: null, latency_ms_p95: null };
  });
}

export interface Totals {
  n_requests: number;
  n_inputs: number;
  doubtful: Estimate | null;
}

/** A request may bring several inputs; each gets an answer. */
export function totals(days: readonly Day[]): Totals {
  const n_inputs = days.reduce((sum, day) => sum + inputsOf(day), 0);
  const n_doubtful = days.reduce((sum, day) => sum + day.n_doubtful, 0);
  return { n_requests: days.reduce((sum, day) => sum + day.n_requests, 0), n_inputs, doubtful: wilson(n_doubtful, n_inputs) };
}

export function inputsOf(day: Day): number {
  return day.answers.reduce((sum, { count }) => sum + count, 0);
}

/** The top of an axis: a round number, at least the greatest value and not much more. */
export function niceTop(most: number): number {
  if (most <= 0) return 1;
  const power = 10 ** Math.floor(Math.log10(most));
  return ([1, 2, 3, 4, 5, 6, 8].find((step) => step * power >= most) ?? 10) * power;
}

export function milliseconds(ms: number, locale: string): string {
  const [value, unit] = ms >= 1000 ? [ms / 1000, 's'] : [ms, 'ms'];
  return `${value.toLocaleString(locale, { maximumSignificantDigits: 2 })} ${unit}`;
}

export type Stream = 'unseen' | 'same' | 'changed';

/** The server has the last word; what it noticed stays noticed until somebody accepts it. */
export function streamOf(drift: Drift): Stream {
  if (changedAt(drift) !== null) return 'changed';
  return drift.n === 0 && drift.seen.n === 0 ? 'unseen' : 'same';
}

/** When either test noticed something, the earlier of both. Times are written so that they sort. */
export function changedAt({ changed_at, seen }: Drift): string | null {
  const [first = null] = [changed_at, seen.changed_at].filter((at) => at !== null).sort();
  return first;
}

/** The evidence at which the server says that something changed. */
export const EVIDENCE_NEEDED = 200;

/** How far the evidence is, in [0, 1]: each step of the way is a factor. */
export function evidenceShare(evidence: number): number {
  return Math.max(0, Math.min(1, Math.log(Math.max(1, evidence)) / Math.log(EVIDENCE_NEEDED)));
}

/** Beyond a million it does not matter how much there is. */
export function evidenceText(evidence: number, locale: string): string {
  const most = 1e6;
  if (evidence > most) return `> ${most.toLocaleString(locale)}`;
  return evidence.toLocaleString(locale, { maximumSignificantDigits: 2 });
}

export type MixWord = 'few' | 'same' | 'differs';

export function mixWord(pValue: number | null): MixWord {
  if (pValue === null) return 'few';
  return pValue < RARE ? 'differs' : 'same';
}

export function pText(pValue: number, locale: string): string {
  if (pValue < RARE / 10) return `p < ${(RARE / 10).toLocaleString(locale, { maximumFractionDigits: 4 })}`;
  return `p = ${pValue.toLocaleString(locale, { maximumSignificantDigits: 2 })}`;
}

export interface MixRow {
  class: string;
  expected: number;
  observed: number;
}

/** Shares of each class among what was expected and what was answered, where they are furthest apart first. */
export function mixRows({ classes, expected, observed }: Mix): MixRow[] {
  const share = (counts: readonly number[], i: number): number => {
    const sum = counts.reduce((a, b) => a + b, 0);
    return sum === 0 ? 0 : (counts[i] ?? 0) / sum;
  };
  const rows = classes.map((name, i) => ({ class: name, expected: share(expected, i), observed: share(observed, i) }));
  const apart = (row: MixRow): number => Math.abs(row.observed - row.expected);
  return rows.toSorted((a, b) => apart(b) - apart(a));
}

/** Models that can be asked beside the one that answers: they take the same kind of input, of several senses the same ones. */
export function shadowsFor<M extends Pick<Model, 'id' | 'modality' | 'senses'>>(models: readonly M[], answering: M): M[] {
  const takes = ({ modality, senses }: M): string => JSON.stringify([modality, senses.map((sense) => [sense.name, sense.modality]).toSorted()]);
  return models.filter((model) => model.id !== answering.id && takes(model) === takes(answering));
}
