// How far people agree, in words; who said what; an answer in words as one that can be given.

import type { Estimate, Task, Vote } from '../api/types';
import { parseNumber, type Answer } from './answers';
import type { EstimateText } from './format';

/** Krippendorff 2004, "Reliability in Content Analysis": rely on 0.8, draw tentative conclusions from 0.667, no less. */
const GOOD = 0.8;
const CAREFUL = 2 / 3;

export type Grade = 'good' | 'careful' | 'rules';

export function gradeOf(alpha: number): Grade {
  if (alpha >= GOOD) return 'good';
  return alpha >= CAREFUL ? 'careful' : 'rules';
}

/** Whether the whole interval says the same. */
export function isSettled({ low, high }: Estimate): boolean {
  return gradeOf(low) === gradeOf(high);
}

export function alphaText(alpha: Estimate, locale: string): EstimateText {
  const format = new Intl.NumberFormat(locale, { minimumFractionDigits: 2, maximumFractionDigits: 2 });
  return { value: format.format(alpha.value), low: format.format(alpha.low), high: format.format(alpha.high) };
}

export interface AlphaScale {
  /** Left end: 0, or less where alpha is. */
  from: number;
  /** In percent of the width. */
  at: (alpha: number) => number;
  limits: readonly number[];
}

export function alphaScale({ value, low }: Estimate): AlphaScale {
  const from = Math.min(0, Math.floor(Math.min(value, low) * 10) / 10);
  return { from, at: (alpha) => ((alpha - from) / (1 - from)) * 100, limits: [CAREFUL, GOOD] };
}

/** Who said each answer, the one that most said first. */
export function byAnswer(votes: readonly Vote[]): { label: string; people: string[] }[] {
  const found = new Map<string, string[]>();
  for (const { by, label } of votes) found.set(label, [...(found.get(label) ?? []), by]);
  return [...found].map(([label, people]) => ({ label, people })).toSorted((a, b) => b.people.length - a.people.length);
}

/** The answer that the server says in words; null where the words can be read in more ways than one, or in none. */
export function answerSaid(words: string, task: Task, classes: readonly string[]): Answer | null {
  if (task === 'class') return { label: words };
  if (task === 'number') {
    const number = parseNumber(words);
    return number === null ? null : { number };
  }
  if (words === '') return { labels: [] };
  const readings = readingsOf(words, classes);
  return readings.length === 1 && readings[0] ? { labels: readings[0] } : null;
}

/** Names have commas in them, too. Two readings are enough to know that it is not clear. */
function readingsOf(words: string, classes: readonly string[]): string[][] {
  const found: string[][] = [];
  for (const name of classes) {
    if (found.length > 1) break;
    if (words === name) found.push([name]);
    else if (words.startsWith(`${name}, `)) for (const rest of readingsOf(words.slice(name.length + 2), classes)) found.push([name, ...rest]);
  }
  return found;
}

/** Where something is missing before people can disagree. */
export type Lack = 'nobody' | 'alone' | 'apart' | null;

export function lackOf(people: readonly { accuracy: unknown }[]): Lack {
  if (people.length === 0) return 'nobody';
  if (people.length === 1) return 'alone';
  return people.some((one) => one.accuracy !== null) ? null : 'apart';
}
