// How what a person gives is sent: again and again while the connection is down.

import { CallError } from '../api/client';
import { sleep, type RetryOptions } from '../domain/retry';

export const RETRY: RetryOptions = {
  attempts: 9,
  firstDelayMs: 300,
  maxDelayMs: 8000,
  wait: sleep,
  passing: (error) => error instanceof CallError && error.passing,
};
