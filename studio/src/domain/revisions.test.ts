import { expect, test } from 'vitest';
import type { Did, Point } from '../api/types';
import { before, deeds, pairOf } from './revisions';

function point(seq: number): Point {
  return { seq, since: 0, events: [], came: 0, changes: [] };
}
const points = [point(40), point(25), point(10)];

test('the last two states are compared where nothing else is asked for', () => {
  expect(pairOf(points, {})).toEqual({ from: 25, to: 40 });
  expect(pairOf(points, { to: '25' })).toEqual({ from: 10, to: 25 });
  expect(pairOf(points, { from: '0', to: '10' })).toEqual({ from: 0, to: 10 });
  expect(pairOf([], {})).toEqual({ from: 0, to: 0 });
});

test('a state between two that have names may be asked for, and none that never was', () => {
  expect(pairOf(points, { from: '12', to: '39' })).toEqual({ from: 12, to: 39 });
  for (const to of ['41', '-1', '1.5', 'x', '']) expect(pairOf(points, { to }), to).toEqual({ from: 25, to: 40 });
  expect(before(points, 10)).toBe(0);
});

test('what people did is summed by kind, the most first', () => {
  const did = (by: string | null, what: Did['what'], act: string, n: number): Did => ({ by, what, act, n });
  const told = deeds([
    did('ann', 'label', 'give', 3),
    did('ann', 'label', 'undo', 1),
    did('ben', 'presence', 'remove', 2),
    did('ben', 'presence', 'return', 2),
    did(null, 'label', 'import', 1),
  ]);
  expect(told.map(({ by, deed, n }) => [by, deed, n])).toEqual([
    ['ben', 'presence', 4],
    ['ann', 'label', 3],
    ['ann', 'undo', 1],
    [null, 'label', 1],
  ]);
});

test('labels and marks that are as they were before are told together', () => {
  const did = (what: Did['what'], act: string, n: number): Did => ({ by: 'ann', what, act, n });
  const told = deeds([did('label', 'restore', 3), did('marks', 'restore', 2), did('presence', 'return', 1)]);
  expect(told.map(({ deed, n }) => [deed, n])).toEqual([['restore', 5], ['presence', 1]]);
});

test('marks of one of several people are marks, and who decides which of them hold decides', () => {
  const did = (what: Did['what'], act: string): Did => ({ by: 'ann', what, act, n: 1 });
  const told = deeds([did('marking', 'give'), did('marks', 'give'), did('marks', 'settle'), did('label', 'settle')]);
  expect(told.map(({ deed, n }) => [deed, n])).toEqual([['marks', 2], ['decide', 2]]);
});
