import { expect, test } from 'vitest';
import { isSame, sureOf, sureSteps, usualOrder } from './filters';

test('what narrows the gallery may give it an order of its own', () => {
  expect(usualOrder({})).toBe('position');
  expect(usualOrder({ label: 'cat', q: 'x' })).toBe('position');
  expect(usualOrder({ state: 'disagrees' })).toBe('disagrees');
  expect(usualOrder({ state: 'disagrees', label: 'cat', suggestion: 'dog' })).toBe('position');
  expect(usualOrder({ state: 'disagrees', finding: 'label' })).toBe('found');
  expect(usualOrder({ finding: 'label', similar_to: 'x' })).toBe('similar');
});

test('how sure the model is to be comes from the address, as one of the steps or as anything', () => {
  expect(sureOf({ label: 'cat', sure_from: '' })).toBe(null);
  expect(sureSteps.findIndex((step) => isSame(step, sureOf({ sure_below: '0.6' })))).toBe(0);
  expect(sureSteps.findIndex((step) => isSame(step, sureOf({ sure_from: '0.95' })))).toBe(3);
  expect(sureOf({ sure_from: '0.5', sure_below: '0.7' })).toEqual({ from: '0.5', below: '0.7' });
  expect(isSame(null, sureOf({}))).toBe(true);
  expect(isSame(sureOf({ sure_from: '0.6', sure_below: '0.8' }), null)).toBe(false);
});

test('the steps follow each other without a gap', () => {
  expect(sureSteps.slice(1).map((step) => step.from)).toEqual(sureSteps.slice(0, -1).map((step) => step.below));
});
