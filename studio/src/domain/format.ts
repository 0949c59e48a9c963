// How numbers, sizes and times are written. A measured value never stands without its interval.

import type { Estimate } from '../api/types';

/** As many digits as the interval supports: a value known to a point is not written to a tenth. */
export function percentDigits(estimate: Pick<Estimate, 'low' | 'high'>): number {
  return estimate.high - estimate.low < 0.02 ? 1 : 0;
}

export function percent(share: number, locale: string, digits = 0): string {
  return new Intl.NumberFormat(locale, { style: 'percent', minimumFractionDigits: digits, maximumFractionDigits: digits }).format(share);
}

/** A small share, such as an error rate: 0.35 %, 5 % and 12 %, not 0 % and 5.0 %. */
export function smallPercent(share: number, locale: string): string {
  const digits = share >= 0.1 ? 0 : share >= 0.01 ? 1 : 2;
  return new Intl.NumberFormat(locale, { style: 'percent', maximumFractionDigits: digits }).format(share);
}

export interface EstimateText {
  value: string;
  low: string;
  high: string;
}

export function estimateText(estimate: Estimate, locale: string): EstimateText {
  const digits = percentDigits(estimate);
  return {
    value: percent(estimate.value, locale, digits),
    low: percent(estimate.low, locale, digits),
    high: percent(estimate.high, locale, digits),
  };
}

/** A measured number that is no share, such as a loss. */
export function plainText(estimate: Estimate, locale: string): EstimateText {
  const format = new Intl.NumberFormat(locale, { minimumFractionDigits: 3, maximumFractionDigits: 3 });
  return { value: format.format(estimate.value), low: format.format(estimate.low), high: format.format(estimate.high) };
}

/** No two numbers of a computer are alike in as many digits. */
const MOST_DIGITS = 17;

/** Different numbers at four significant digits, or at as many as tell all of them apart. */
export function toldApart(numbers: readonly number[], locale: string): string[] {
  for (let digits = 4; ; digits += 1) {
    const told = numbers.map((number) => number.toLocaleString(locale, { maximumSignificantDigits: digits }));
    if (digits === MOST_DIGITS || new Set(told).size === numbers.length) return told;
  }
}

/** A difference of shares in percentage points, with its sign. */
export function points(difference: number, locale: string): string {
  const value = difference * 100;
  const digits = Math.abs(value) < 10 ? 1 : 0;
  return new Intl.NumberFormat(locale, { signDisplay: 'exceptZero', maximumFractionDigits: digits, minimumFractionDigits: digits }).format(value);
}

const units = ['B', 'KB', 'MB', 'GB', 'TB'];

export function bytes(size: number, locale: string): string {
  let value = size;
  let unit = 0;
  while (value >= 1000 && unit < units.length - 1) {
    value /= 1000;
    unit += 1;
  }
  const digits = unit === 0 || value >= 100 ? 0 : 1;
  return `${value.toLocaleString(locale, { maximumFractionDigits: digits })} ${units[unit]}`;
}

const steps: [Intl.RelativeTimeFormatUnit, number][] = [
  ['year', 31_557_600],
  ['month', 2_629_800],
  ['day', 86_400],
  ['hour', 3600],
  ['minute', 60],
];

/** "3 minutes ago". */
export function ago(time: string, locale: string, now: number): string {
  const seconds = (Date.parse(time) - now) / 1000;
  const format = new Intl.RelativeTimeFormat(locale, { numeric: 'auto' });
  for (const [unit, size] of steps) {
    if (Math.abs(seconds) >= size) return format.format(Math.trunc(seconds / size), unit);
  }
  return format.format(Math.trunc(seconds), 'second');
}

/** A sentence of the server as the studio spells it: names in quotation marks, percentages without a gap. */
export function spelled(text: string): string {
  return text.replace(/`([^`]*)`/g, '“$1”').replace(/(\d)\s%/g, '$1%');
}

/** What the server says, with a capital at its beginning. */
export function sentence(text: string): string {
  return spelled(text.charAt(0).toUpperCase() + text.slice(1));
}

/** What went wrong and what helps, as the server says it. */
export function wrong({ message, hint }: { message: string; hint: string | null }): string {
  return [message, hint ?? ''].filter(Boolean).map(sentence).join('. ');
}

/** A point in time, for tables: day and minute. */
export function moment(time: string, locale: string): string {
  return new Intl.DateTimeFormat(locale, { dateStyle: 'medium', timeStyle: 'short' }).format(new Date(time));
}

/** A day such as `2026-11-26`, which is one in universal time: "26 Nov". */
export function dayText(day: string, locale: string): string {
  return new Intl.DateTimeFormat(locale, { day: 'numeric', month: 'short', timeZone: 'UTC' }).format(new Date(`${day}T00:00:00Z`));
}

/** A name for an address: what is no letter or digit becomes a dash. */
export function slug(name: string): string {
  return name
    .normalize('NFKD')
    .toLowerCase()
    .replace(/[^a-z0-9]+/g, '-')
    .replace(/^-+|-+$/g, '')
    .slice(0, 48);
}
