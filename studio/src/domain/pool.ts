// Many small pieces of work.

/** A few at a time; the first failure stops the rest. */
export async function runAll<T>(items: readonly T[], atOnce: number, work: (item: T) => Promise<void>): Promise<void> {
  let next = 0;
  let broken = false;
  async function worker(): Promise<void> {
    while (next < items.length && !broken) {
      const item = items[next++] as T;
      try {
        await work(item);
      } catch (error) {
        broken = true;
        throw error;
      }
    }
  }
  await Promise.all(Array.from({ length: Math.min(atOnce, items.length) }, worker));
}

export function* batches<T>(items: readonly T[], size: number): Generator<T[]> {
  for (let from = 0; from < items.length; from += size) yield items.slice(from, from + size);
}
