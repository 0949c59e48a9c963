import { expect, test } from 'vitest';
import { usualOrder } from './filters';

test('what narrows the gallery may give it an order of its own', () => {
  expect(usualOrder({})).toBe('position');
  expect(usualOrder({ label: 'cat', q: 'x' })).toBe('position');
  expect(usualOrder({ state: 'disagrees' })).toBe('disagrees');
  expect(usualOrder({ state: 'disagrees', label: 'cat', suggestion: 'dog' })).toBe('position');
  expect(usualOrder({ state: 'disagrees', finding: 'label' })).toBe('found');
  expect(usualOrder({ finding: 'label', similar_to: 'x' })).toBe('similar');
});
