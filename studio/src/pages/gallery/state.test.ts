import { expect, test, vi } from 'vitest';

// What is stubbed has to be there before the modules that use it.
const server = vi.hoisted(() => {
  globalThis.navigator ??= { languages: ['en'] } as unknown as Navigator;
  // `had` are examples that have their label already; what comes after the first request waits for the gate.
  return { requests: [] as number[], event: 0, broken: [] as unknown[], had: new Set<string>(), gate: Promise.resolve() };
});
vi.mock('../../api/calls', async (actual) => {
  const example = (i: number) => ({ id: `x${i}`, name: `x${i}`, label: null, labels: null, number: null, marks: [] });
  const give = (ids: string[]) => {
    const n = ids.filter((id) => !server.had.has(id)).length;
    if (n > 0) server.requests.push(n);
    server.event += n;
    return { event: server.event, changed: n > 0, n_changed: n, warning: null, broken: server.broken.splice(0), n_unsure: 0 };
  };
  return {
    ...(await actual<object>()),
    datasets: {
      get: async () => ({ task: 'class', classes: [], annotators: 1 }),
      examples: async (_: string, __: unknown, offset: number, limit: number) => ({ total: 1200, examples: Array.from({ length: limit }, (_, i) => example(offset + i)) }),
    },
    labels: {
      set: async (_: string, id: string) => give([id]),
      setMany: async (_: string, given: { example: string }[]) => {
        if (server.requests.length > 0) await server.gate;
        return give(given.map((one) => one.example));
      },
      // One of them was changed by somebody else since.
      undo: async () => {
        const n = server.requests.pop();
        if (n === undefined) throw new Error('nothing is left');
        return { example: example(0), what: 'label', undone: 'a', n: n - 1 };
      },
    },
  };
});

const { toasts } = await import('../../app/toasts.svelte');
const { DatasetStore } = await import('../dataset/store.svelte');
const { GalleryState } = await import('./state.svelte');
type Chosen = Parameters<InstanceType<typeof GalleryState>['label']>[0];

function opened(): InstanceType<typeof GalleryState> {
  Object.assign(server, { requests: [], event: 0, broken: [], had: new Set(), gate: Promise.resolve() });
  return new GalleryState(new DatasetStore('d'), {});
}

const some = (n: number) => Array.from({ length: n }, (_, i) => ({ id: `x${i}`, name: `x${i}`, label: null, labels: null, number: null, marks: [] })) as unknown as Chosen;

async function undone(): Promise<number[]> {
  const left = server.requests.length;
  toasts.list.at(-1)?.action?.run();
  await vi.waitFor(() => expect(toasts.list.at(-1)?.text).toMatch(/undone/));
  return [left, server.requests.length];
}

test.each([
  [500, 1],
  [501, 2],
  [1200, 3],
])('undo after %i labels takes back their %i requests, also where fewer labels come back', async (n, requests) => {
  const gallery = opened();
  await gallery.label(some(500), 'before');
  await gallery.label(some(n), 'a');
  expect(await undone()).toEqual([1 + requests, 1]);
});

test('a request that changed nothing is not taken back', async () => {
  const gallery = opened();
  await gallery.label(some(500), 'before');
  server.had = new Set(some(1000).slice(500).map((one) => one.id));
  await gallery.label(some(1000), 'a');
  expect(await undone()).toEqual([2, 1]);
});

test('where nothing changed there is no undo: it would reach what was given before', async () => {
  const gallery = opened();
  await gallery.label(some(3), 'before');
  server.had = new Set(some(3).map((one) => one.id));
  await gallery.label(some(3), 'a');
  expect([server.requests, toasts.list.at(-1)?.action]).toEqual([[3], undefined]);
});

const rule = (number: number, asks: string, examples: string[]) => ({ rule: { number }, asks, examples });

test('what other rules said stays as it was when one is followed', async () => {
  const gallery = opened();
  server.broken = [rule(1, 'b', ['x0']), rule(2, 'c', ['x1'])];
  await gallery.label(some(3), 'a');
  const [first] = gallery.against.rules;
  if (!first) throw new Error('no rule spoke');
  server.broken = [];
  await gallery.follow(first, 'b');
  expect(gallery.against.rules).toEqual([rule(2, 'c', ['x1'])]);
  // It has that label already, so nothing is sent.
  server.requests = [];
  await gallery.follow(rule(1, 'b', ['x0']) as unknown as typeof first, 'b');
  expect([server.requests, gallery.against.rules]).toEqual([[], [rule(2, 'c', ['x1'])]]);
});

test('no rule is followed, nor dropped, while labels are on their way', async () => {
  const gallery = opened();
  server.broken = [rule(1, 'b', ['x0'])];
  let goOn = (): void => {};
  server.gate = new Promise((resolve) => (goOn = resolve));
  const under = gallery.label(some(1200), 'a');
  await vi.waitFor(() => expect(gallery.against.rules).toHaveLength(1));
  const [first] = gallery.against.rules;
  if (!first) throw new Error('no rule spoke');
  expect(gallery.labelling).toEqual({ done: 500, total: 1200 });
  await gallery.follow(first, 'b');
  expect(gallery.against.rules).toEqual([first]);
  goOn();
  await under;
  expect([server.requests, gallery.against.rules]).toEqual([[500, 500, 200], [first]]);
});
