import { expect, test } from 'vitest';
import type { Dataset } from '../api/types';
import { findClasses } from './classes';
import { moveLabel } from './counts';
import { classKeys, keyName, keyOf } from './keys';
import { lookedFor, mergeQueue, typicalSeconds } from './queue';

const plain = { ctrlKey: false, metaKey: false, altKey: false, shiftKey: false };

test.each([
  [{ ...plain, key: 'a' }, 'a'],
  [{ ...plain, key: 'A', shiftKey: true }, 'a'],
  [{ ...plain, key: '?', shiftKey: true }, '?'],
  [{ ...plain, key: ' ' }, 'Space'],
  [{ ...plain, key: 'z', ctrlKey: true }, 'Mod+z'],
  [{ ...plain, key: 'Z', metaKey: true, shiftKey: true }, 'Mod+Shift+z'],
  [{ ...plain, key: 'ArrowLeft', shiftKey: true }, 'Shift+ArrowLeft'],
])('%o is %s', (event, name) => expect(keyOf(event)).toBe(name));

test('keys of classes leave out what the page needs', () => {
  expect(classKeys(['n']).slice(0, 11)).toEqual(['1', '2', '3', '4', '5', '6', '7', '8', '9', 'a', 'b']);
  expect(classKeys(['n'])).not.toContain('n');
  expect(classKeys([])).toHaveLength(35);
});

test('keys are written for people', () => {
  expect(keyName('Mod+z', 'Space')).toBe('Ctrl Z');
  expect(keyName('Space', '空格')).toBe('空格');
  expect(keyName('+', 'Space')).toBe('+');
  expect(keyName('Mod+Shift+z', 'Space')).toBe('Ctrl ⇧ Z');
});

test('classes that begin with what was typed come first', () => {
  expect(findClasses(['t-shirt', 'shirt', 'skirt'], 'sh')).toEqual(['shirt', 't-shirt']);
  expect(findClasses(['b', 'a'], ' ')).toEqual(['b', 'a']);
});

const dataset: Dataset = {
  id: 'd', name: 'd', modality: null, senses: [], task: 'class', n_marked: 0, number: null, inspects: false, annotators: 1, blind: false, n_examples: 10, n_labelled: 3, n_problems: 0, created_at: '', updated_at: '',
  classes: [{ name: 'a', count: 2 }, { name: 'b', count: 1 }],
};

test('a first label counts, a changed one moves, a new class appears', () => {
  expect(moveLabel(dataset, null, 'a')).toMatchObject({ n_labelled: 4, classes: [{ count: 3 }, { count: 1 }] });
  expect(moveLabel(dataset, 'a', 'b')).toMatchObject({ n_labelled: 3, classes: [{ count: 1 }, { count: 2 }] });
  expect(moveLabel(dataset, 'a', null)).toMatchObject({ n_labelled: 2 });
  expect(moveLabel(dataset, null, 'c').classes.at(-1)).toEqual({ name: 'c', count: 1 });
});

test('taking a move back gives the same counts', () => {
  expect(moveLabel(moveLabel(dataset, 'a', 'b'), 'b', 'a')).toEqual(dataset);
});

const ids = (...names: string[]) => names.map((id) => ({ id }));

test('a fresh order does not move what is about to be shown, nor bring back what is done', () => {
  expect(mergeQueue(ids('a', 'b', 'c', 'd'), ids('x', 'd', 'b', 'gone'), new Set(['gone']))).toEqual(ids('a', 'b', 'c', 'x', 'd'));
});

test('time with the page out of sight is not told', () => {
  expect(lookedFor(1000, 1850.4, false)).toBe(850);
  expect(lookedFor(1000, 99_000, true)).toBeNull();
});

test('one pause does not make somebody slow', () => {
  expect(typicalSeconds([900, 60_000, 1100])).toBe(1.1);
  expect(typicalSeconds([900])).toBeNull();
});
