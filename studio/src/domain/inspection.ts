// What can be said about an inspector: how often good parts alarm, what of it is proved, and what is missed for it.

import type { Estimate, Inspection, Model } from '../api/types';
import type { Box } from './chart';

type Inspector = NonNullable<Model['inspector']>;

/** The rates of false alarms that can be wished for. */
export const alarmRates = [0.005, 0.01, 0.02, 0.05, 0.1] as const;

export function nearestRate(rate: number): number {
  const gaps = alarmRates.map((one) => Math.abs(one - rate));
  return gaps.indexOf(Math.min(...gaps));
}

export type Proof =
  | { kind: 'proven' }
  /** These good parts prove no rate yet, or not the wished one: `more` good parts are missing, where that is known. */
  | { kind: 'estimate'; more: number | null; best: number | null };

export function proofOf({ proven, need, n_good, best_rate }: Inspector): Proof {
  if (proven) return { kind: 'proven' };
  return { kind: 'estimate', more: need !== null && need > n_good ? need - n_good : null, best: best_rate };
}

/**
 * Good parts that can prove a rate at best: with that many, none of which alarms, the chance of so much luck at a
 * higher rate is what the confidence leaves. ln(1 - confidence) / ln(1 - rate), rounded up.
 */
export function goodPartsFor(rate: number, confidence: number): number {
  return Math.ceil(Math.log(1 - confidence) / Math.log(1 - rate));
}

type Trade = Inspection['trade'];

/** What is missed (up) against false alarms (right), as steps: between two thresholds nothing was measured. */
export function missedPath(trade: Trade, { width, height }: Box, most: number): string {
  let path = '';
  for (const { false_alarms, missed } of trade.toSorted((a, b) => a.false_alarms - b.false_alarms || b.missed - a.missed)) {
    if (false_alarms > most) break;
    const [x, y] = [tenth((false_alarms / most) * width), tenth((1 - missed) * height)];
    path += path === '' ? `M${x} ${y}` : `H${x}V${y}`;
  }
  return path;
}

/** The point that was measured at this threshold, or the nearest one. */
export function atThreshold(trade: Trade, threshold: number): Trade[number] | null {
  return trade.reduce<Trade[number] | null>((best, one) => (best === null || Math.abs(one.threshold - threshold) < Math.abs(best.threshold - threshold) ? one : best), null);
}

/** How many of the defects that it was shown were measured, those of one group counted once. */
export function nDefects(kinds: Inspection['kinds']): number {
  return kinds.reduce((sum, { found }) => sum + found.n, 0);
}

/** The share of the defects that is missed where at most this share of the good parts alarms; null where nothing was measured. */
export function missedFor({ trade, kinds }: Pick<Inspection, 'trade' | 'kinds'>, rate: number): Estimate | null {
  const allowed = trade.filter((one) => one.false_alarms <= rate);
  const n = nDefects(kinds);
  return allowed.length === 0 || n === 0 ? null : measuredShare(Math.min(...allowed.map((one) => one.missed)), n);
}

const Z95 = 1.959963984540054;

/** A share of n with Wilson's 95 % interval. */
export function measuredShare(share: number, n: number): Estimate {
  const square = Z95 ** 2 / n;
  const centre = (share + square / 2) / (1 + square);
  const half = (Z95 / (1 + square)) * Math.sqrt((share * (1 - share)) / n + square / (4 * n));
  return { value: share, low: Math.max(0, centre - half), high: Math.min(1, centre + half), n };
}

/** How far right the chart goes: beyond half of all good parts nobody wants to look. */
export function mostAlarms(trade: Trade, wished: number): number {
  const highest = Math.max(0, ...trade.map((one) => one.false_alarms));
  return Math.min(highest || 1, Math.max(0.2, wished * 3));
}

function tenth(value: number): number {
  return Math.round(value * 10) / 10;
}
