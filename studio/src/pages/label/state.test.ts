import { expect, test, vi } from 'vitest';

// What is stubbed has to be there before the modules that use it.
const server = vi.hoisted(() => {
  globalThis.navigator ??= { languages: ['en'] } as unknown as Navigator;
  globalThis.document ??= { hidden: false, documentElement: { dataset: {} } } as unknown as Document;
  return { n: 1, asked: 0 };
});
vi.mock('../../api/calls', async (actual) => ({
  ...(await actual<object>()),
  datasets: {
    get: async () => {
      server.asked += 1;
      return { task: 'class', classes: [{ name: 'a', count: 300 }], annotators: 1, n_labelled: 300 };
    },
  },
  labels: {
    queue: async () => ({ why: '', examples: [] }),
    live: async () => ({ state: 'too_few' }),
    undo: async () => ({ example: { id: 'x7', name: 'x7', label: null, labels: null, number: null, marks: [] }, undone: 'a', what: 'label', n: server.n }),
  },
}));

const { prefs } = await import('../../app/prefs.svelte');
const { toasts } = await import('../../app/toasts.svelte');
const { DatasetStore } = await import('../dataset/store.svelte');
const { LabelState } = await import('./state.svelte');

test.each([
  [1, 'en', 'Undone: a', 0],
  [300, 'en', '300 labels undone.', 1],
  [300, 'zh', '已撤销 300 个标签。', 1],
] as const)('undo of %i labels in %s says “%s” and asks for the counts %i times', async (n, language, said, loads) => {
  prefs.language = language;
  toasts.list = [];
  const labelling = new LabelState(new DatasetStore('d'));
  await vi.waitFor(() => expect(labelling.state).toBe('done'));
  Object.assign(server, { n, asked: 0 });
  await labelling.undo();
  labelling.stop();
  expect([labelling.current?.id, server.asked]).toEqual(['x7', loads]);
  expect([labelling.announced, ...toasts.list.map((toast) => toast.text)].filter(Boolean)).toEqual([said]);
});
