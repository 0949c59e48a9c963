import { expect, test, vi } from 'vitest';

// What is stubbed has to be there before the modules that use it.
const server = vi.hoisted(() => {
  globalThis.navigator ??= { languages: ['en'] } as unknown as Navigator;
  // The first so many of each kind are decided; `asked` are the pages that were sent, of the audit of that time.
  return { decided: 0, asked: [] as unknown[], audited_at: 'then' };
});
vi.mock('../../api/calls', async (actual) => {
  // 150 labels, then 100 leaks.
  const all = () => Array.from({ length: 250 }, (_, i) => {
    const [fault, place] = i < 150 ? ['label', i] : ['leak', i - 150];
    return { number: i + 1, fault, sense: null, conflict: null, decision: place < server.decided ? 'kept' : null };
  });
  const kinds = () => ['label', 'leak'].map((fault) => {
    const these = all().filter((one) => one.fault === fault);
    return { fault, sense: null, title: fault, n: these.length, n_open: these.filter((one) => one.decision === null).length, n_examples: these.length };
  });
  return {
    ...(await actual<object>()),
    datasets: { get: async () => ({ task: 'class', classes: [], annotators: 1 }) },
    jobs: { list: async () => [], ofDataset: async () => [] },
    book: { get: async () => ({ rules: [], notes: [] }) },
    worklist: {
      get: async (_: string, of: { fault: string } | null, offset: number, limit: number) => {
        server.asked.push([of?.fault ?? '', offset]);
        const these = all().filter((one) => !of || one.fault === of.fault);
        return { audited_at: server.audited_at, kinds: kinds(), total: these.length, findings: these.slice(offset, offset + limit) };
      },
      decide: async (_: string, number: number) => ({ ...all()[number - 1], decision: 'kept' }),
    },
  };
});

const { DatasetStore } = await import('../dataset/store.svelte');
const { WorklistState } = await import('./state.svelte');

async function opened(decided: number): Promise<InstanceType<typeof WorklistState>> {
  Object.assign(server, { decided, asked: [], audited_at: 'then' });
  const list = new WorklistState(new DatasetStore('d'));
  await vi.waitFor(() => expect(list.current).toBeDefined());
  return list;
}

test('a page comes at once, the next one shortly before its end', async () => {
  const list = await opened(0);
  expect([list.current?.number, server.asked, list.counts]).toEqual([1, [['', 0]], { total: 250, left: 250 }]);
  await list.go(79);
  expect([list.current?.number, server.asked.length]).toEqual([80, 1]);
  await list.go(2);
  await vi.waitFor(() => expect(list.shown).toHaveLength(200));
  expect(server.asked.at(-1)).toEqual(['', 100]);
});

test('the first open finding is found on whatever page it is', async () => {
  const list = await opened(120);
  await vi.waitFor(() => expect(list.current?.number).toBe(121));
  expect(list.counts).toEqual({ total: 250, left: 30 });
});

test('one kind is asked for by itself, and what was decided of another is gone back to', async () => {
  const list = await opened(0);
  await list.decide('keep');
  expect([list.current?.number, list.counts.left]).toEqual([2, 249]);
  await list.filter('leak');
  expect([list.current?.number, list.shown.length, server.asked.at(-1)]).toEqual([151, 100, ['leak', 0]]);
  await list.decide('keep');
  expect([list.current?.number, list.counts]).toEqual([152, { total: 100, left: 99 }]);
  await list.back();
  await list.back();
  expect([list.kind, list.current?.number]).toEqual(['', 1]);
});

test('after another audit the list is the new one, also where much of it is decided, and pages go on coming', async () => {
  const list = await opened(0);
  Object.assign(server, { decided: 120, audited_at: 'now' });
  await list.go(99);
  await list.go(1);
  await vi.waitFor(() => expect(list.current?.number).toBe(121));
  expect(list.data?.audited_at).toBe('now');
  const numbers = list.shown.map((finding) => finding.number);
  expect(new Set(numbers).size).toBe(numbers.length);
  await list.back();
});
