import { expect, test } from 'vitest';
import type { LivePoint } from '../api/types';
import { scaleOf } from './chart';

const box = { width: 260, height: 100 };

function point(n_labelled: number, low: number, value: number, high: number): LivePoint {
  return { n_labelled, accuracy: { value, low, high, n: 20 } };
}

test('an axis where all is right still has a tenth of span', () => {
  const scale = scaleOf([point(10, 1, 1, 1), point(20, 1, 1, 1)], null, box);
  expect([scale.low, scale.high]).toEqual([0.9, 1]);
  expect([scale.y(scale.low), scale.y(scale.high)]).toEqual([100, 0]);
});

test('an axis where all is wrong begins at nothing', () => {
  const scale = scaleOf([point(10, 0, 0, 0)], null, box);
  expect([scale.low, scale.high, scale.y(0)]).toEqual([0, 0.1, 100]);
});

test('chance is on the axis, and what is shown is cut to tenths', () => {
  const scale = scaleOf([point(10, 0.72, 0.8, 0.88)], 0.25, box);
  expect([scale.low, scale.high]).toEqual([0.2, 0.9]);
});
