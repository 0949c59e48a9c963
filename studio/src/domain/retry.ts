// Tries again, more and more slowly, while the failure looks passing.

export interface RetryOptions {
  /** Whether the same call may work later. */
  passing: (error: unknown) => boolean;
  attempts: number;
  firstDelayMs: number;
  maxDelayMs: number;
  wait: (ms: number) => Promise<void>;
  failed?: (attempt: number) => void;
}

export async function retry<T>(call: () => Promise<T>, options: RetryOptions): Promise<T> {
  for (let attempt = 1; ; attempt += 1) {
    try {
      return await call();
    } catch (error) {
      if (attempt >= options.attempts || !options.passing(error)) throw error;
      options.failed?.(attempt);
      await options.wait(delayOf(attempt, options));
    }
  }
}

/** Doubles each time: first, 2 first, 4 first, … up to the longest. */
export function delayOf(attempt: number, { firstDelayMs, maxDelayMs }: Pick<RetryOptions, 'firstDelayMs' | 'maxDelayMs'>): number {
  return Math.min(maxDelayMs, firstDelayMs * 2 ** (attempt - 1));
}

export function sleep(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms));
}
