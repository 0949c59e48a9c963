import { expect, test } from 'vitest';
import { all, count, extend, has, indices, nothing, only, toggle } from './selection';

test('Shift extends from the last click', () => expect([...indices(extend(only(3), 6))]).toEqual([3, 4, 5, 6]));
test('Shift extends backwards', () => expect([...indices(extend(only(6), 3))]).toEqual([3, 4, 5, 6]));

test('a second press takes back, also in the middle of a range', () => {
  const selection = toggle(extend(only(3), 6), 5);
  expect([...indices(selection)]).toEqual([3, 4, 6]);
  expect(has(selection, 5)).toBe(false);
  expect([...indices(toggle(selection, 5))]).toEqual([3, 4, 5, 6]);
});

test('neighbours join to one range', () => expect(toggle(only(1), 2).ranges).toEqual([{ from: 1, to: 3 }]));
test('a hundred thousand are one range', () => {
  expect(all(100_000).ranges).toHaveLength(1);
  expect(count(all(100_000))).toBe(100_000);
});
test('all of nothing is nothing', () => expect(all(0)).toEqual(nothing));
