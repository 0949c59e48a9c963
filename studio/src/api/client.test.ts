import { expect, test } from 'vitest';
import { CallError } from './client';

test.each([
  [0, true],
  [404, false],
  [429, true],
  [500, true],
  [503, true],
  [507, false],
])('what failed with %d may pass: %s', (status, passing) => expect(new CallError(status, {}).passing).toBe(passing));
