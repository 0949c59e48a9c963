import { expect, test } from 'vitest';
import type { Example } from '../api/types';
import { examples } from '../api/calls';
import { acceptOf, canBeMarked, facesOf, hasPicture, insteadOf, needsRoom } from './content';
import { coursePath, rangeOf } from './course';
import { curlFor } from './curl';

const example: Example = {
  id: 'e', name: 'parts.jsonl:2', text: 'loud', label: null, labels: null, number: null, marks: [], marks_event: 0, own_marks: null, width: null, height: null, piece: null, by: null, suggestion: null,
  senses: [{ sense: 'note', modality: 'text', text: 'loud' }, { sense: 'photo', modality: 'image', text: null }],
};
const senses = [{ name: 'photo', modality: 'image' as const }, { name: 'sound', modality: 'sound' as const }, { name: 'note', modality: 'text' as const }];

test('senses come in the order of the dataset, and what is missing is told', () => {
  const faces = facesOf(example, senses);
  expect(faces.map(({ sense, face }) => [sense.name, face?.text ?? null, face === null])).toEqual([['photo', null, false], ['sound', null, true], ['note', 'loud', false]]);
});

test('a picture stands for whatever is no text', () => {
  expect(['image', 'sound', 'video', 'series', 'senses', 'text'].map((modality) => hasPicture(example, modality as 'image'))).toEqual([true, true, true, true, true, false]);
  expect(hasPicture({ ...example, senses: example.senses.slice(0, 1) }, 'senses')).toBe(false);
});

test('where a browser cannot draw a file, a large picture stands for it, and no small one', () => {
  expect([insteadOf('file'), insteadOf('large'), insteadOf('nothing')]).toEqual(['large', 'nothing', 'nothing']);
  expect(examples.shownUrl('file', 'a', 'photo')).toBe('/v1/examples/a/content?sense=photo');
  expect(examples.shownUrl('large', 'a')).toBe('/v1/examples/a/thumbnail?large=1');
});

test('what has a course in time, or several senses, is decided about whole', () => {
  expect((['image', 'text', 'sound', 'video', 'series', 'senses', null] as const).map(needsRoom)).toEqual([false, false, false, true, true, true, false]);
});

test('marks have a place on three kinds', () => {
  expect((['image', 'text', 'sound', 'video', 'series', 'senses', null] as const).map(canBeMarked)).toEqual([true, true, true, false, false, false, false]);
  expect(acceptOf('series')).toContain('.parquet');
});

test('a course is joined, breaks off where values are missing, and lies in the middle when flat', () => {
  const values = [[0, 1], [1, 2], null, [2, 2]] as const;
  const range = rangeOf(values);
  expect(range).toEqual({ low: 0, high: 2 });
  expect(coursePath(values, range!, 30, 10)).toBe('M0 10V5L10 5V0M30 0h.01');
  expect(coursePath([[3, 3], [3, 3]], { low: 3, high: 3 }, 10, 10)).toBe('M0 5h.01L10 5');
  expect(rangeOf([null, null])).toBeNull();
});

test('a line for the terminal names each sense', () => {
  const line = curlFor('senses', 'http://x/v1/predict/parts', 'T', senses);
  expect(line).toContain("-F 'photo=@photo.jpg'");
  expect(line).toContain("-F 'sound=@sound.wav'");
  expect(line).toContain("-F 'note=…'");
  expect(curlFor('series', 'http://x', 'T', [])).toContain('-F file=@trace.csv');
});
