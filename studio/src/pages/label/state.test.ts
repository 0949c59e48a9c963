import { expect, test, vi } from 'vitest';

// What is stubbed has to be there before the modules that use it.
const server = vi.hoisted(() => {
  globalThis.navigator ??= { languages: ['en'] } as unknown as Navigator;
  globalThis.document ??= { hidden: false, documentElement: { dataset: {} } } as unknown as Document;
  return { n: 1, asked: 0, undone: 0, what: 'label', changed: true, queue: [] as unknown[], from: [] as unknown[], data: {}, suggested: [] as unknown[] };
});
const example = (id: string) => ({ id, name: id, label: null, labels: null, number: null, marks: [] });
vi.mock('../../api/calls', async (actual) => ({
  ...(await actual<object>()),
  datasets: {
    get: async () => {
      server.asked += 1;
      return { task: 'class', classes: [{ name: 'a', count: 300 }], annotators: 1, n_labelled: 300, ...server.data };
    },
  },
  examples: {
    suggestedMarks: async () => ({ model: { id: 'm1', name: 'tiles' }, marks: server.suggested }),
    mark: async () => ({ event: 1, n_marked: 1, changed: true }),
  },
  labels: {
    queue: async () => ({ why: '', examples: server.queue }),
    set: async (_: string, __: string, ___: unknown, { from }: { from: string }) => {
      server.from.push(from);
      return { event: 1, n_labelled: 1, changed: server.changed, warning: null, broken: null };
    },
    live: async () => ({ state: 'too_few' }),
    undo: async () => {
      server.undone += 1;
      return { example: example('x7'), undone: 'a', what: server.what, n: server.n };
    },
  },
}));

// Pictures are for browsers.
vi.mock('./ahead', () => ({ Ahead: class { fetch(): void {} } }));

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

test('undo of what was taken out elsewhere shows nothing that may be out now', async () => {
  prefs.language = 'en';
  const labelling = new LabelState(new DatasetStore('d'));
  await vi.waitFor(() => expect(labelling.state).toBe('done'));
  Object.assign(server, { n: 2, what: 'presence' });
  await labelling.undo();
  labelling.stop();
  server.what = 'label';
  expect([labelling.current, toasts.list.at(-1)?.text]).toEqual([undefined, 'Undone for 2 examples.']);
});

test.each([
  [true, 1],
  [false, 0],
])('undo of an answer that changed something (%s) asks the server %i times', async (changed, undone) => {
  Object.assign(server, { n: 1, undone: 0, changed, from: [], queue: ['x7', 'x8'].map(example) });
  const labelling = new LabelState(new DatasetStore('d'));
  await vi.waitFor(() => expect(labelling.current?.id).toBe('x7'));
  labelling.give({ label: 'a' });
  await vi.waitFor(() => expect(labelling.waiting).toBe(0));
  expect([labelling.current?.id, server.from]).toEqual(['x8', ['queue']]);
  await labelling.undo();
  labelling.stop();
  expect([labelling.current?.id, server.undone, labelling.history]).toEqual(['x7', undone, []]);
});

test('a class that is given while a defect is marked beats the kind that an inspector takes it for, on that example', async () => {
  const region = (x: number) => ({ mark: { class: 'dent', shape: 'box', x, y: 0, width: 8, height: 8, suggested_by: 'm1' }, score: 2, times: null });
  Object.assign(server, { data: { inspects: true, modality: 'image' }, suggested: [region(0), region(20)], queue: ['x7', 'x8'].map((id) => ({ ...example(id), width: 100, height: 50 })) });
  const labelling = new LabelState(new DatasetStore('d'));
  await vi.waitFor(() => expect(labelling.marking.editor).not.toBe(null));
  const accept = async (): Promise<unknown> => {
    labelling.marking.editor?.offers.ask();
    await vi.waitFor(() => expect(labelling.marking.editor?.offers.next).toBeDefined());
    labelling.marking.editor?.acceptOffer();
    return labelling.marking.editor?.marks.at(-1)?.class;
  };
  labelling.choose('scratch');
  expect(await accept()).toBe('scratch');
  labelling.finishMarking();
  expect(labelling.current?.id).toBe('x8');
  expect(await accept()).toBe('dent');
  labelling.choose('scratch');
  expect(await accept()).toBe('scratch');
  labelling.stop();
});
