import { expect, test } from 'vitest';
import { alarmRates, atThreshold, goodPartsFor, measuredShare, missedFor, missedPath, mostAlarms, nearestRate, proofOf } from './inspection';

const inspector = { false_alarms: 0.05, confidence: 0.95, proven: true, best_rate: 0.049, need: 59, n_good: 60, threshold: 0.6 };

test('only what was proved is a promise', () => {
  expect(proofOf(inspector)).toEqual({ kind: 'proven' });
  expect(proofOf({ ...inspector, proven: false, n_good: 20, best_rate: 0.14 })).toEqual({ kind: 'estimate', more: 39, best: 0.14 });
  expect(proofOf({ ...inspector, proven: false })).toEqual({ kind: 'estimate', more: null, best: 0.049 });
});

test.each([
  [0.05, 0.95, 59],
  [0.01, 0.95, 299],
  [0.1, 0.9, 22],
])('%d at %d takes %d good parts', (rate, confidence, n) => expect(goodPartsFor(rate, confidence)).toBe(n));

test('the slider finds the nearest rate', () => expect(alarmRates[nearestRate(0.04)]).toBe(0.05));

const trade = [
  { threshold: 0.9, false_alarms: 0, missed: 1 },
  { threshold: 0.6, false_alarms: 0.05, missed: 0.2 },
  { threshold: 0.1, false_alarms: 0.8, missed: 0 },
];

test('the curve goes by false alarms, in steps, as far as anybody wants to see', () => {
  expect(mostAlarms(trade, 0.05)).toBe(0.2);
  expect(missedPath(trade, { width: 100, height: 50 }, 0.2)).toBe('M0 0H25V40');
  expect(missedPath([], { width: 100, height: 50 }, 0.2)).toBe('');
  expect(atThreshold(trade, 0.65)?.false_alarms).toBe(0.05);
  expect(atThreshold([], 0.5)).toBeNull();
});

// Wilson's interval as published: 18 of 20, and none of 10.
test.each([
  [0.9, 20, 0.699, 0.9721],
  [0, 10, 0, 0.2775],
])('a share of %d of %d lies between %d and %d', (share, n, low, high) => {
  const measured = measuredShare(share, n);
  expect(measured.low).toBeCloseTo(low, 3);
  expect(measured.high).toBeCloseTo(high, 3);
});

test('a rate of false alarms has its price in missed defects', () => {
  const kinds = [12, 8].map((n) => ({ kind: `${n}`, found: { value: 1, low: 0, high: 1, n } }));
  expect(missedFor({ trade, kinds }, 0.01)).toMatchObject({ value: 1, n: 20 });
  expect(missedFor({ trade, kinds }, 0.1)).toEqual(measuredShare(0.2, 20));
  expect([missedFor({ trade: [], kinds }, 0.1), missedFor({ trade, kinds: [] }, 0.1)]).toEqual([null, null]);
});
