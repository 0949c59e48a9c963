import { expect, test, vi } from 'vitest';

// What is stubbed has to be there before the modules that use it.
const server = vi.hoisted(() => {
  globalThis.navigator ??= { languages: ['en'] } as unknown as Navigator;
  // What comes after the first request waits for the gate.
  return { requests: [] as number[], event: 0, had: 0, broken: [] as unknown[], gate: Promise.resolve() };
});
vi.mock('../../api/calls', async (actual) => {
  const points = Array.from({ length: 1200 }, (_, i) => i);
  return {
    ...(await actual<object>()),
    examples: { get: async (id: string) => ({ id }) },
    datasets: {
      get: async () => ({ task: 'class', classes: [], annotators: 1 }),
      map: async () => ({ state: 'ready', ids: points.map((i) => `x${i}`), x: points.map((i) => i / 1200), y: points.map(() => 0.5), classes: [], labels: points.map(() => null), sets: [], numbers: [], suggestions: [], disagrees: [] }),
    },
    labels: {
      setMany: async (_: string, given: unknown[]) => {
        if (server.requests.length > 0) await server.gate;
        const n_changed = given.length - server.had;
        if (n_changed > 0) server.requests.push(n_changed);
        server.event += n_changed;
        return { event: server.event, n_changed, broken: server.broken.splice(0), n_unsure: 0 };
      },
      // One of them was changed by somebody else since.
      undo: async () => {
        const n = server.requests.pop();
        if (n === undefined) throw new Error('nothing is left');
        return { n: n - 1 };
      },
    },
  };
});

const { toasts } = await import('../../app/toasts.svelte');
const { DatasetStore } = await import('../dataset/store.svelte');
const { MapState } = await import('./state.svelte');

async function opened(): Promise<InstanceType<typeof MapState>> {
  Object.assign(server, { requests: [], event: 0, had: 0, broken: [], gate: Promise.resolve() });
  const map = new MapState(new DatasetStore('d'));
  await vi.waitFor(() => expect(map.spots?.state).toBe('ready'));
  return map;
}

async function label(map: InstanceType<typeof MapState>, n: number, name: string): Promise<void> {
  map.selectWhere((i) => i < n);
  await map.label(name);
}

test.each([
  [500, 1],
  [1200, 3],
])('undo after %i labels takes back their %i requests, also where fewer labels come back', async (n, requests) => {
  const map = await opened();
  await label(map, 500, 'before');
  await label(map, n, 'a');
  expect(server.requests).toHaveLength(1 + requests);
  toasts.list.at(-1)?.action?.run();
  await vi.waitFor(() => expect(toasts.list.at(-1)?.text).toMatch(/undone/));
  expect(server.requests).toHaveLength(1);
});

test('where nothing changed there is no undo: it would reach what was given before', async () => {
  const map = await opened();
  await label(map, 3, 'before');
  server.had = 3;
  await label(map, 3, 'a');
  expect([server.requests, toasts.list.at(-1)?.action]).toEqual([[3], undefined]);
});

const rule = (number: number, asks: string, examples: string[]) => ({ rule: { number }, asks, examples });

test('what other rules said stays as it was when one is followed', async () => {
  const map = await opened();
  server.broken = [rule(1, 'b', ['x0']), rule(2, 'c', ['x1']), rule(3, 'd', ['gone'])];
  await label(map, 3, 'a');
  const [first, , gone] = map.against.rules;
  if (!first || !gone) throw new Error('no rule spoke');
  await map.follow(first, 'b');
  expect(map.against.rules).toEqual([rule(2, 'c', ['x1']), gone]);
  // Nothing is there to be labelled.
  await map.follow(gone, 'd');
  expect([server.requests, map.against.rules]).toEqual([[3, 1], [rule(2, 'c', ['x1'])]]);
});

test('no rule is followed, nor dropped, while labels are on their way', async () => {
  const map = await opened();
  server.broken = [rule(1, 'b', ['x0'])];
  let goOn = (): void => {};
  server.gate = new Promise((resolve) => (goOn = resolve));
  const under = label(map, 1200, 'a');
  await vi.waitFor(() => expect(map.against.rules).toHaveLength(1));
  const [first] = map.against.rules;
  if (!first) throw new Error('no rule spoke');
  expect(map.labelling).toEqual({ done: 500, total: 1200 });
  await map.follow(first, 'b');
  expect(map.against.rules).toEqual([first]);
  goOn();
  await under;
  expect([server.requests, map.against.rules]).toEqual([[500, 500, 200], [first]]);
});
