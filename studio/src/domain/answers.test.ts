import { expect, test } from 'vitest';
import { answerOf, answerText, classesOf, namesGoodParts, ofClass, parseNumber, sameAnswer, stepNumber, toggleClass, withAnswer } from './answers';
import { inOrder } from './exporting';

const empty = { label: null, labels: null, number: null };

test('what counts as an answer', () => {
  expect(classesOf(empty)).toBeNull();
  expect(classesOf({ ...empty, label: 'a' })).toEqual(['a']);
  expect(classesOf({ ...empty, labels: [] })).toEqual([]);
  expect(classesOf({ ...empty, number: 0 })).toEqual([]);
});

test('answers go both ways', () => {
  expect(answerOf({ ...empty, labels: ['a'] }, 'classes')).toEqual({ labels: ['a'] });
  expect(withAnswer({ ...empty, label: 'x' }, { number: 2 })).toEqual({ ...empty, number: 2 });
  expect(sameAnswer({ labels: [] }, { labels: null })).toBe(false);
  expect(ofClass('a', 'classes')).toEqual({ labels: ['a'] });
});

test('an answer in words', () => {
  expect(answerText({ ...empty, labels: [] }, 'none', 'en')).toBe('none');
  expect(answerText({ ...empty, labels: ['a', 'b'] }, 'none', 'en')).toBe('a, b');
  expect(answerText({ ...empty, number: 0 }, 'none', 'en')).toBe('0');
  expect(answerText({ ...empty, number: 1234.5678 }, 'none', 'en')).toBe('1,234.5678');
  expect(answerText(empty, 'none', 'en')).toBeNull();
});

test('labels keep the order of the classes', () => {
  expect(toggleClass(['c'], 'a', ['a', 'b', 'c'])).toEqual(['a', 'c']);
  expect(toggleClass(['a', 'c'], 'a', ['a', 'b', 'c'])).toEqual(['c']);
  expect(toggleClass([], 'new', ['a'])).toEqual(['new']);
});

test.each([
  ['1.5', 1.5],
  [' 1,5 ', 1.5],
  ['−2', -2],
  ['1e3', 1000],
  ['.5', 0.5],
  ['', null],
  ['1.2.3', null],
  ['NaN', null],
  ['1e999', null],
  ['0x10', null],
])('%s is the number %s', (typed, value) => expect(parseNumber(typed)).toBe(value));

test.each([
  ['2,5', 1, null, '2.6'],
  ['2.50', -1, null, '2.49'],
  ['7', 10, null, '17'],
  ['', 1, { low: 1.25, high: 9.5 }, '5.38'],
  ['', 1, null, '0'],
  ['', 1, { low: 3, high: 3 }, '3'],
  ['0.1', 2, null, '0.3'],
])('%s stepped by %d is %s', (typed, by, range, expected) => expect(stepNumber(typed, by, range)).toBe(expected));

test('good parts have the names that the importer knows', () => {
  expect(['Good', 'OK', 'defect_free', '良品'].every(namesGoodParts)).toBe(true);
  expect(['scratch', 'ng', 'goods', ''].some(namesGoodParts)).toBe(false);
});

test('formats that lose nothing come first, those that do not fit last', () => {
  const formats = [{ format: 'a', fits: false, why: 'x' }, { format: 'b', fits: true, why: 'y' }, { format: 'c', fits: true, why: null }, { format: 'd', fits: true, why: null }];
  expect(inOrder(formats).map((one) => one.format)).toEqual(['c', 'd', 'b', 'a']);
});
