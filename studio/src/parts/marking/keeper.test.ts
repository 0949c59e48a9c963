import { expect, test, vi } from 'vitest';

// What is stubbed has to be there before the modules that use it.
const server = vi.hoisted(() => {
  globalThis.navigator ??= { languages: ['en'] } as unknown as Navigator;
  return { event: 4, seen: [] as number[], changed: false };
});
vi.mock('../../api/calls', () => ({
  examples: {
    mark: async (_: string, __: unknown, seen: number) => {
      server.seen.push(seen);
      if (server.changed) throw new CallError(409, { code: 'marks_changed' });
      server.event += 1;
      return { event: server.event, n_marked: 1 };
    },
  },
}));

const { CallError } = await import('../../api/client');
const { Outbox } = await import('../../domain/outbox');
const { MarkEditor } = await import('./editor.svelte');
const { isChanged, MarkKeeper } = await import('./keeper');
type Example = import('../../api/types').Example;
type Mark = import('../../api/types').Mark;

const box = (x: number) => ({ class: 'dent', shape: 'box', x, y: 0, width: 1, height: 1 }) as Mark;

test('whoever marks says which marks they saw, their own of a moment ago as well', async () => {
  const outbox = new Outbox({ attempts: 1, passing: () => false, firstDelayMs: 0, maxDelayMs: 0, wait: async () => {} }, () => {});
  const lost: unknown[] = [];
  const keeper = new MarkKeeper(outbox, { leaving: () => {}, sent: () => {}, lost: (_, error) => lost.push(error), replaced: () => {} });
  const editor = new MarkEditor({ id: 'e', marks: [], marks_event: 4 } as unknown as Example, null);
  for (const x of [1, 2]) {
    editor.add(box(x));
    keeper.keep(editor, null);
    await outbox.empty();
  }
  expect(server.seen).toEqual([4, 5]);
  server.changed = true;
  editor.add(box(3));
  keeper.keep(editor, null);
  await outbox.empty();
  expect(lost.map(isChanged)).toEqual([true]);
});

test('marks that came too late stand aside, one step away', () => {
  const theirs = [box(1)];
  const editor = new MarkEditor({ id: 'e', marks: theirs, marks_event: 5 } as unknown as Example, null);
  editor.setAside([box(2)]);
  expect([editor.marks, editor.dirty, editor.canRedo]).toEqual([theirs, false, true]);
  editor.redo();
  expect(editor.marks).toEqual([box(2)]);
});
