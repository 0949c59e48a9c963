// What a person says about an example: one class, several, or a number. Which of them is the task of the dataset.

import type { Dataset, Example, Task } from '../api/types';

/** Exactly one of them, as the task wants; null takes the answer away. */
export type Answer = { label: string | null } | { labels: string[] | null } | { number: number | null };

export const tasks: readonly Task[] = ['class', 'classes', 'number'];

type Answered = Pick<Example, 'label' | 'labels' | 'number'>;

export function answerOf({ label, labels, number }: Answered, task: Task): Answer {
  if (task === 'classes') return { labels };
  return task === 'number' ? { number } : { label };
}

export function noAnswer(task: Task): Answer {
  return answerOf({ label: null, labels: null, number: null }, task);
}

/** The answer of one class for the task: several labels of one, or the one. */
export function ofClass(name: string | null, task: Task): Answer {
  return task === 'classes' ? { labels: name === null ? null : [name] } : { label: name };
}

export function isAnswered(example: Answered): boolean {
  return classesOf(example) !== null;
}

/** The classes an answer counts for; empty for a number or where none applies; null without an answer. */
export function classesOf({ label, labels, number }: Partial<Answered>): readonly string[] | null {
  if (labels != null) return labels;
  if (label != null) return [label];
  return number != null ? [] : null;
}

export function withAnswer<T extends Answered>(example: T, answer: Answer): T {
  return { ...example, label: null, labels: null, number: null, ...answer };
}

export function sameAnswer(a: Answer, b: Answer): boolean {
  return JSON.stringify(a) === JSON.stringify(b);
}

/** The answer in words; null where there is none. */
export function answerText({ label, labels, number }: Partial<Answered>, none: string, locale: string): string | null {
  if (labels != null) return labels.length === 0 ? none : labels.join(', ');
  if (number != null) return numberText(number, locale);
  return label ?? null;
}

/** As many digits as the number has, written as people do here. */
export function numberText(value: number, locale: string): string {
  return value.toLocaleString(locale, { maximumSignificantDigits: 12 });
}

/** Ticks or unticks a class; the order is that of the classes. */
export function toggleClass(labels: readonly string[], name: string, classes: readonly string[]): string[] {
  const chosen = labels.includes(name) ? labels.filter((one) => one !== name) : [...labels, name];
  const place = (one: string): number => (classes.includes(one) ? classes.indexOf(one) : classes.length);
  return chosen.toSorted((a, b) => place(a) - place(b));
}

/** What was typed as a number: 1,5 and 1.5 and 1e3; null when it is none. */
export function parseNumber(typed: string): number | null {
  const text = typed.trim().replace('−', '-').replace(',', '.');
  if (!/^[+-]?(\d+\.?\d*|\.\d+)(e[+-]?\d+)?$/i.test(text)) return null;
  const value = Number(text);
  return Number.isFinite(value) ? value : null;
}

/** The number so many steps up or down in the last digit that was typed; without one, the middle of the range so far. */
export function stepNumber(typed: string, by: number, range: Dataset['number']): string {
  const value = parseNumber(typed);
  if (value === null) return range ? String(round((range.low + range.high) / 2, digitsFor(range))) : '0';
  const digits = Math.min(12, /[.,](\d+)/.exec(typed)?.[1]?.length ?? 0);
  return round(value + by * 10 ** -digits, digits).toFixed(digits);
}

/** Digits behind the point that tell a hundredth of the range. */
function digitsFor({ low, high }: { low: number; high: number }): number {
  return high > low ? Math.max(0, Math.ceil(-Math.log10((high - low) / 100))) : 0;
}

function round(value: number, digits: number): number {
  return Number(value.toFixed(Math.min(20, digits)));
}

/** What people call good parts, as the server knows them (`dataset/src/read/inspection/names.rs`): any other class names a defect. */
const good = new Set([
  'good', 'ok', 'okay', 'normal', 'pass', 'passed', 'good part', 'good parts', 'no defect', 'defect free',
  '良品', '合格', '合格品', '正常', '好', '好品', '无缺陷',
]);

export function namesGoodParts(name: string): boolean {
  return good.has(name.trim().toLowerCase().replace(/[\s_-]+/g, ' '));
}
