import { expect, test } from 'vitest';
import type { Example, Mark, MarkingList } from '../api/types';
import { dashOf, decidedKey, eventOf, hasGiven, holdsOthers, layersOf, marksOf, withEvent, withMarks } from './markings';

const box = (x: number) => ({ class: 'dent', shape: 'box', x, y: 0, width: 1, height: 1 }) as Mark;
const shared = { id: 'e', marks: [box(1)], marks_event: 4, own_marks: null } as unknown as Example;
const several = { ...shared, own_marks: { marks: [box(2)], event: 7 } } as Example;

test('where several people mark, their own marks are changed and not those that hold', () => {
  expect([marksOf(shared), eventOf(shared), hasGiven(shared)]).toEqual([[box(1)], 4, false]);
  expect([marksOf(several), eventOf(several), hasGiven(several)]).toEqual([[box(2)], 7, true]);
  expect(withMarks(shared, []).marks).toEqual([]);
  expect([holdsOthers(shared), holdsOthers(several), holdsOthers(withMarks(several, several.marks))]).toEqual([false, true, false]);
  expect([withMarks(several, []).marks, withMarks(several, []).own_marks?.marks]).toEqual([[box(1)], []]);
  expect([withEvent(several, 9).own_marks?.event, withEvent(shared, 9)]).toEqual([9, shared]);
});

test('what most found comes first, then each person, and what came with the data can be taken as well', () => {
  const list = {
    people: [{ person: null, name: null, marks: [box(0)], agreement: null }, { person: 'p', name: 'Ann', marks: [], agreement: 0.5 }],
    most: [{ mark: box(3), n: 1 }], decision: { took: 'one', person: null }, agreement: null, event: 3, too_much: false,
  } as unknown as MarkingList;
  const layers = layersOf(list);
  expect(layers.map(({ key, take, look }) => [key, take, look])).toEqual([
    ['most', { take: 'most' }, -1], ['by ', { take: 'one', person: null }, 0], ['by p', { take: 'one', person: 'p' }, 1],
  ]);
  expect([decidedKey(list), decidedKey({ ...list, decision: null })]).toEqual(['by ', null]);
  expect(layersOf({ ...list, people: list.people.slice(0, 1) }).map(({ key }) => key), 'nobody looked').toEqual(['by ']);
  expect(layersOf({ ...list, too_much: true }).map(({ key }) => key), 'it was not compared').toEqual(['by ', 'by p']);
  expect(new Set(layers.map(({ look }) => dashOf(look))).size).toBe(3);
});
