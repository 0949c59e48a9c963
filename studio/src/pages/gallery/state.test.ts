import { expect, test, vi } from 'vitest';

// What is stubbed has to be there before the modules that use it.
const server = vi.hoisted(() => {
  globalThis.navigator ??= { languages: ['en'] } as unknown as Navigator;
  // `had` are examples that have their label already; what comes after the first request waits for the gate.
  return { moves: [] as [number, boolean][], requests: [] as number[], event: 0, broken: [] as unknown[], had: new Set<string>(), gate: Promise.resolve() };
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
      setRemoved: async (_: string, ids: string[], removed: boolean) => {
        const n = ids.filter((id) => !server.had.has(id)).length;
        if (n > 0) server.moves.push([n, removed]);
        return { event: 0, n_changed: n };
      },
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
        const move = server.moves.pop();
        if (move) return { example: example(0), what: 'presence', undone: null, n: move[0] };
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

function opened(query: ConstructorParameters<typeof GalleryState>[1] = {}): InstanceType<typeof GalleryState> {
  Object.assign(server, { moves: [], requests: [], event: 0, broken: [], had: new Set(), gate: Promise.resolve() });
  return new GalleryState(new DatasetStore('d'), query);
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

test('what is selected is taken out in a few requests, and one undo brings all of it back', async () => {
  const gallery = opened();
  await vi.waitFor(() => expect(gallery.total).toBe(1200));
  gallery.opened = 3;
  await gallery.moveMany(some(700));
  expect([server.moves, gallery.opened, toasts.list.at(-1)?.text]).toEqual([[[500, true], [200, true]], null, '700 examples taken out.']);
  toasts.list.at(-1)?.action?.run();
  await vi.waitFor(() => expect(toasts.list.at(-1)?.text).toBe('Undone for 700 examples.'));
  expect(server.moves).toEqual([]);
});

test('where what was taken out is shown, the same brings it back', async () => {
  const gallery = opened({ state: 'removed' });
  await gallery.moveMany(some(1));
  expect([server.moves, toasts.list.at(-1)?.text]).toEqual([[[1, false]], '1 example brought back.']);
  gallery.show({});
  await gallery.moveMany(some(2));
  expect(server.moves.at(-1)).toEqual([2, true]);
});

test('where somebody else took it out already there is nothing to undo', async () => {
  const gallery = opened();
  server.had = new Set(['x0']);
  const before = toasts.list.length;
  await gallery.moveMany(some(1));
  expect([server.moves, toasts.list.length]).toEqual([[], before]);
});
