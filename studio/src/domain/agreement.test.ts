import { expect, test } from 'vitest';
import { alphaScale, alphaText, answerSaid, byAnswer, gradeOf, isSettled, lackOf } from './agreement';
import { nextOpen, undecided } from './worklist';

const alpha = (value: number, low: number, high: number) => ({ value, low, high, n: 40 });

test.each([
  [1, 'good'],
  [0.8, 'good'],
  [0.7999, 'careful'],
  [0.667, 'careful'],
  [0.66, 'rules'],
  [-0.3, 'rules'],
] as const)('alpha %s is %s', (value, grade) => expect(gradeOf(value)).toBe(grade));

test('an interval within one grade settles it', () => {
  expect(isSettled(alpha(0.9, 0.84, 0.95))).toBe(true);
  expect(isSettled(alpha(0.82, 0.7, 0.93))).toBe(false);
});

test('alpha is written to hundredths, with a minus where people disagree more than chance', () => {
  expect(alphaText(alpha(-0.104, -0.4, 0.2), 'en')).toEqual({ value: '-0.10', low: '-0.40', high: '0.20' });
});

test('the scale begins at nought, or where alpha does', () => {
  expect(alphaScale(alpha(0.5, 0.2, 0.7)).from).toBe(0);
  const scale = alphaScale(alpha(-0.1, -0.42, 0.2));
  expect([scale.from, scale.at(-0.5), scale.at(0.25), scale.at(1)]).toEqual([-0.5, 0, 50, 100]);
});

test('answers by how many said them', () => {
  const said = byAnswer([{ by: 'Ann', label: 'cat' }, { by: 'Bo', label: 'dog' }, { by: 'Cy', label: 'dog' }]);
  expect(said).toEqual([{ label: 'dog', people: ['Bo', 'Cy'] }, { label: 'cat', people: ['Ann'] }]);
});

test.each([
  ['cat', 'class', ['dog'], { label: 'cat' }],
  ['2.5', 'number', [], { number: 2.5 }],
  ['1e-7', 'number', [], { number: 1e-7 }],
  ['much', 'number', [], null],
  ['', 'classes', ['a'], { labels: [] }],
  ['a, b', 'classes', ['a', 'b'], { labels: ['a', 'b'] }],
  ['red, wet, dry', 'classes', ['red, wet', 'dry'], { labels: ['red, wet', 'dry'] }],
  ['a, b', 'classes', ['a', 'b', 'a, b'], null],
  ['a, gone', 'classes', ['a'], null],
] as const)('“%s” of the task %s', (words, task, classes, expected) => expect(answerSaid(words, task, classes)).toEqual(expected));

test('what is missing before people can disagree', () => {
  expect(lackOf([])).toBe('nobody');
  expect(lackOf([{ accuracy: null }])).toBe('alone');
  expect(lackOf([{ accuracy: null }, { accuracy: null }])).toBe('apart');
  expect(lackOf([{ accuracy: 1 }, { accuracy: 1 }])).toBeNull();
});

test('disputes are gone through as findings are', () => {
  const disputes = [{ decision: null }, { decision: { label: 'a' } }];
  expect([undecided(disputes), nextOpen(disputes, 0), nextOpen(disputes, 1)]).toEqual([1, 0, 0]);
});
