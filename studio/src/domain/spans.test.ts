import { expect, test } from 'vitest';
import { clock, edgeTo, movedTo, rulerStep, segmentBetween, type Segment } from './segments';
import { Counted, lanes, pieces, stepWords, trimmed, wholeWords, wordsOf } from './spans';

const text = new Counted('a😀b 👩‍🚀 上海 é');

test('an emoji counts once here and twice in the browser', () => {
  expect(text.length).toBe([...text.text].length);
  for (let i = 0; i <= text.length; i += 1) expect(text.scalar(text.unit(i))).toBe(i);
  expect(text.slice({ start: 1, end: 2 })).toBe('😀');
  expect(text.scalar(2)).toBe(1);
  expect(text.scalar(3)).toBe(2);
  expect(text.unit(999)).toBe(text.text.length);
});

test('words are found in both languages', () => {
  const sentence = new Counted('Hello 😀 world, 上海 3');
  const found = wordsOf(sentence, 'en').map((word) => sentence.slice(word));
  expect(found).toEqual(['Hello', 'world', '上海', '3']);
});

test('blanks at the ends are not meant', () => {
  const sentence = new Counted('😀 two  words ');
  const all = trimmed(sentence, { start: 1, end: 8 });
  expect(all && sentence.slice(all)).toBe('two  w');
  expect(trimmed(sentence, { start: 5, end: 7 })).toBeNull();
});

test('spans that overlap have lines of their own', () => {
  const spans = [{ start: 0, end: 10 }, { start: 5, end: 8 }, { start: 9, end: 12 }, { start: 12, end: 14 }, { start: 10, end: 11 }];
  const lane = lanes(spans);
  expect(lane).toEqual([0, 1, 1, 0, 0]);
  spans.forEach((a, i) => spans.forEach((b, j) => i < j && a.start < b.end && b.start < a.end && expect(lane[i]).not.toBe(lane[j])));
});

test('the text is cut where a mark begins or ends', () => {
  const cut = pieces(10, [{ start: 2, end: 6 }, { start: 4, end: 99 }]);
  expect(cut.map(({ start, end, over, begins }) => [start, end, over, begins])).toEqual([
    [0, 2, [], []],
    [2, 4, [0], [0]],
    [4, 6, [0, 1], [1]],
    [6, 10, [1], []],
  ]);
  expect(pieces(0, [])).toEqual([]);
});

const words = [{ start: 0, end: 3 }, { start: 4, end: 7 }, { start: 8, end: 9 }];

test.each([
  ['the first word', null, 1, false, [0, 3]],
  ['the last word', null, -1, false, [8, 9]],
  ['the next word', [0, 3], 1, false, [4, 7]],
  ['no further than the last', [8, 9], 1, false, [8, 9]],
  ['one more word', [0, 3], 1, true, [0, 7]],
  ['one word less', [0, 7], -1, true, [0, 3]],
  ['at least one word', [0, 3], -1, true, [0, 3]],
] as [string, [number, number] | null, number, boolean, [number, number]][])('%s', (_, now, by, extend, expected) => {
  const stretch = now && { start: now[0], end: now[1] };
  expect(stepWords(words, stretch, by, extend)).toEqual({ start: expected[0], end: expected[1] });
});

test('half words are meant whole', () => expect(wholeWords(words, { start: 2, end: 5 })).toEqual({ start: 0, end: 7 }));

const segment: Segment = { class: 'a', shape: 'segment', start: 1, end: 2 };

test('segments stay in the sound and keep some length', () => {
  expect(segmentBetween(3.004, 1, 2.5, 'a')).toEqual({ ...segment, start: 1, end: 2.5 });
  expect(edgeTo(segment, 'start', 9, 10)).toMatchObject({ start: 1.98, end: 2 });
  expect(edgeTo(segment, 'end', -1, 10)).toMatchObject({ start: 1, end: 1.02 });
  expect(movedTo(segment, 9.7, 10)).toMatchObject({ start: 9, end: 10 });
  expect(movedTo(segment, -3, 10)).toMatchObject({ start: 0, end: 1 });
});

test('times and rulers are round', () => {
  expect([3.25, 63.5].map(clock)).toEqual(['3.25', '1:03.50']);
  expect([4, 30, 95, 0.5].map((seconds) => rulerStep(seconds, 10))).toEqual([0.5, 5, 10, 0.05]);
});
