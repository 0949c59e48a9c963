import { expect, test, vi } from 'vitest';

// What is stubbed has to be there before the modules that use it.
const server = vi.hoisted(() => {
  globalThis.navigator ??= { languages: ['en'] } as unknown as Navigator;
  type Question = { example: string; signal: AbortSignal; answer: (value: unknown) => void; fail: (error: Error) => void };
  const asked = { inspected: [] as Question[], measured: [] as Question[] };
  const ask = (kind: keyof typeof asked) => (_: string, example: string, signal: AbortSignal) =>
    new Promise((answer, fail) => asked[kind].push({ example, signal, answer, fail }));
  return { asked, inspected: ask('inspected'), measured: ask('measured') };
});
vi.mock('../../api/calls', () => ({ models: { inspected: server.inspected, measured: server.measured } }));

const { PartLook } = await import('./part-look.svelte');

const view = { overlay: 'data:then', outlines: [[[1, 1], [5, 1], [5, 5]]], size: [40, 30] };
const seen = { inspected: { width: 80, height: 60, overlay: 'data:now', regions: [] }, learned: true };

/** A part that is asked about, with both questions. */
function asked() {
  const look = new PartLook();
  look.ask('m', 'e');
  return { look, inspected: server.asked.inspected.at(-1)!, measured: server.asked.measured.at(-1)! };
}
const settled = () => new Promise((resolve) => setTimeout(resolve));

test('what is written down is shown before anything was looked at', async () => {
  const { look, inspected, measured } = asked();
  expect([look.hasMeasured, look.before, look.now]).toEqual([true, null, null]);
  measured.answer(view);
  await settled();
  expect(look.before).toEqual({ width: 40, height: 30, overlay: 'data:then', regions: [{ points: view.outlines[0] }] });
  expect([look.now, look.seen.state]).toEqual([null, 'asked']);
  inspected.answer(seen);
  await settled();
  expect([look.now?.overlay, look.before?.overlay]).toEqual(['data:now', 'data:then']);
});

test('it stays where looking fails, and looking begins again alone', async () => {
  const { look, inspected, measured } = asked();
  measured.answer(view);
  inspected.fail(new Error('away'));
  await settled();
  expect([look.before?.overlay, look.seen.state]).toEqual(['data:then', 'failed']);
  const before = server.asked.measured.length;
  if (look.seen.state === 'failed') look.seen.again();
  expect([look.seen.state, look.before?.overlay, server.asked.measured.length]).toEqual(['asked', 'data:then', before]);
  server.asked.inspected.at(-1)!.answer(seen);
  await settled();
  expect(look.now?.overlay).toBe('data:now');
});

test('where it cannot be read that is told, and where nothing is written down nothing is waited for', async () => {
  const failing = asked();
  failing.measured.fail(new Error('away'));
  await settled();
  expect([failing.look.hasMeasured, failing.look.measured.state, failing.look.before]).toEqual([true, 'failed', null]);
  const without = asked();
  without.measured.answer(null);
  await settled();
  expect([without.look.hasMeasured, without.look.before]).toEqual([false, null]);
});

test('of an earlier version the size is that of what was looked at', async () => {
  const { look, inspected, measured } = asked();
  measured.answer({ ...view, size: null });
  await settled();
  expect(look.before).toBe(null);
  inspected.answer(seen);
  await settled();
  expect(look.before).toMatchObject({ width: 80, height: 60 });
});

test('another part takes the place of one whose answers come late', async () => {
  const { look, inspected, measured } = asked();
  look.ask('m', 'f');
  expect([inspected.signal.aborted, measured.signal.aborted]).toEqual([true, true]);
  measured.answer(view);
  inspected.answer(seen);
  await settled();
  expect([look.seen.state, look.measured.state]).toEqual(['asked', 'asked']);
});
