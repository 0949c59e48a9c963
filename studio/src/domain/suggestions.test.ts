import { expect, test } from 'vitest';
import type { Suggestion } from '../api/types';
import { accepted, contradicts, likely, suggestionText } from './suggestions';

const nothing: Suggestion = { label: null, probability: null, labels: null, number: null, low: null, high: null };
const one: Suggestion = { ...nothing, label: 'cat', probability: 0.9 };
const several: Suggestion = { ...nothing, labels: [{ label: 'wet', probability: 0.97 }, { label: 'rust', probability: 0.6 }] };
const none: Suggestion = { ...nothing, labels: [] };
const value: Suggestion = { ...nothing, number: 12.5, low: 11, high: 14 };
const between = (low: string, high: string): string => `${low} to ${high}`;

test('a suggestion is accepted as the answer of its task', () => {
  expect(accepted(one, 'class')).toEqual({ label: 'cat' });
  expect(accepted(several, 'classes')).toEqual({ labels: ['wet', 'rust'] });
  expect(accepted(none, 'classes')).toEqual({ labels: [] });
  expect(accepted(value, 'number')).toEqual({ number: 12.5 });
  expect(accepted(null, 'number')).toBeNull();
  expect(accepted(one, 'classes')).toBeNull();
});

test('a suggestion says how sure it is', () => {
  expect(suggestionText(one, 'none', between, 'en')).toBe('cat 90%');
  expect(suggestionText(several, 'none', between, 'en')).toBe('wet 97%, rust 60%');
  expect(suggestionText(none, 'none', between, 'en')).toBe('none');
  expect(suggestionText(value, 'none', between, 'en')).toBe('12.5 (11 to 14)');
  expect(likely(one)).toEqual([{ label: 'cat', probability: 0.9 }]);
  expect(likely(value)).toEqual([]);
});

test.each([
  ['the same class', { label: 'cat', suggestion: one }, false],
  ['another class', { label: 'dog', suggestion: one }, true],
  ['the same labels in another order', { labels: ['rust', 'wet'], suggestion: several }, false],
  ['a label too few', { labels: ['wet'], suggestion: several }, true],
  ['none against some', { labels: [], suggestion: several }, true],
  ['within the interval', { number: 14, suggestion: value }, false],
  ['outside of it', { number: 14.1, suggestion: value }, true],
  ['no answer yet', { suggestion: value }, false],
  ['no suggestion', { label: 'cat', suggestion: null }, false],
])('%s', (_, given, against) => expect(contradicts({ label: null, labels: null, number: null, ...given })).toBe(against));
