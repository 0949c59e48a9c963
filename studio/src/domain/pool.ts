// Runs many small jobs, a few at a time. The first failure stops the rest.

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
