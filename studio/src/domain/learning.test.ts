import { expect, test } from 'vitest';
import type { Curve } from '../api/types';
import { brings, expectedAt, reached } from './learning';

function point(n_labels: number, value: number, low = value, high = value) {
  return { n_labels, accuracy: { value, low, high, n: n_labels } };
}
const curve: Curve = {
  n_labels: 100,
  measured: [point(20, 0.5)],
  expected: [point(50, 0.7, 0.65, 0.75), point(100, 0.8, 0.78, 0.82), point(200, 0.9, 0.85, 0.95)],
};

test('between two points the curve is read in a straight line', () => {
  expect(expectedAt(curve.expected, 75)?.value).toBeCloseTo(0.75);
  expect(expectedAt(curve.expected, 100)?.value).toBeCloseTo(0.8);
  expect(expectedAt(curve.expected, 150)).toMatchObject({ n: 150, low: expect.closeTo(0.815), high: expect.closeTo(0.885) });
});

test('beyond its ends nothing is invented', () => {
  expect(expectedAt(curve.expected, 10)?.value).toBe(0.7);
  expect(expectedAt(curve.expected, 1000)?.value).toBe(0.9);
  expect(expectedAt([], 10)).toBeNull();
});

test('the meter says how much of the outlook is reached, with its band', () => {
  const told = reached(curve);
  expect(told?.value).toBeCloseTo(0.8 / 0.9);
  expect(told?.low).toBeCloseTo(0.8 / 0.95);
  expect(told?.high).toBeCloseTo(0.8 / 0.85);
  expect(reached({ ...curve, expected: curve.expected.slice(0, 2) })).toBeNull();
});

test('a band that reaches down to what there is brings nothing', () => {
  expect(brings(curve, 200)).toBe(true);
  expect(brings({ ...curve, expected: [point(100, 0.8), point(200, 0.82, 0.79, 0.85)] }, 200)).toBe(false);
});
