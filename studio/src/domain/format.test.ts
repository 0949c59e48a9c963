import { expect, test } from 'vitest';
import { ago, bytes, estimateText, points, sentence, slug, smallPercent, spelled, toldApart } from './format';

test('digits follow the interval', () => {
  expect(estimateText({ value: 0.8512, low: 0.81, high: 0.89, n: 300 }, 'en')).toEqual({ value: '85%', low: '81%', high: '89%' });
  expect(estimateText({ value: 0.8512, low: 0.8463, high: 0.8561, n: 30_000 }, 'en')).toEqual({ value: '85.1%', low: '84.6%', high: '85.6%' });
});

test.each([
  [0, '0%'],
  [0.0035, '0.35%'],
  [0.05, '5%'],
  [0.0249, '2.5%'],
  [0.123, '12%'],
])('a small share %d is written %s', (share, text) => expect(smallPercent(share, 'en')).toBe(text));

test.each([
  [0.021, '+2.1'],
  [-0.002, '-0.2'],
  [0, '0.0'],
  [0.123, '+12'],
])('a difference of %d is %s points', (difference, text) => expect(points(difference, 'en')).toBe(text));

test.each([
  [0, '0 B'],
  [999, '999 B'],
  [48_213, '48.2 KB'],
  [8_000_000_000, '8 GB'],
])('%d bytes are %s', (size, text) => expect(bytes(size, 'en')).toBe(text));

test('times are told as people do', () => {
  const now = Date.parse('2026-01-02T12:00:00Z');
  expect(ago('2026-01-02T11:57:00Z', 'en', now)).toBe('3 minutes ago');
  expect(ago('2026-01-01T11:00:00Z', 'en', now)).toBe('yesterday');
  expect(ago('2026-01-02T12:00:00Z', 'en', now)).toBe('now');
});

test.each([
  ['Line 3, Parts!', 'line-3-parts'],
  ['é', 'e'],
  ['衣服', ''],
])('%s becomes the address %s', (name, expected) => expect(slug(name)).toBe(expected));

test('sentences of the server are spelled as those of the studio', () => {
  expect(spelled('Add examples of `scratch`: expect 84 to 90 % instead of 28.6 %.')).toBe('Add examples of “scratch”: expect 84 to 90% instead of 28.6%.');
  expect(sentence('no `class` here')).toBe('No “class” here');
});

test.each([
  [[1.25, 9.5], ['1.25', '9.5']],
  [[1234.56, 2345.67], ['1,235', '2,346']],
  [[1000.01, 1000.02, 1000.3], ['1,000.01', '1,000.02', '1,000.3']],
  [[0.1 + 0.2, 0.3], ['0.30000000000000004', '0.3']],
  [[7, 7], ['7', '7']],
  [[], []],
])('%o are told apart as %o', (numbers, told) => expect(toldApart(numbers, 'en')).toEqual(told));
