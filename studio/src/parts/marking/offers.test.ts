import { expect, test, vi } from 'vitest';

// What is stubbed has to be there before the modules that use it.
const server = vi.hoisted(() => {
  globalThis.navigator ??= { languages: ['en'] } as unknown as Navigator;
  return { asked: 0, signal: null as AbortSignal | null, marks: [] as unknown[], gate: Promise.resolve(), failing: false };
});
vi.mock('../../api/calls', () => ({
  examples: {
    suggestedMarks: async (_: string, signal: AbortSignal) => {
      server.asked += 1;
      server.signal = signal;
      await server.gate;
      signal.throwIfAborted();
      if (server.failing) throw new Error('away');
      return { model: { id: 'm1', name: 'tiles' }, marks: server.marks };
    },
  },
}));

const { PictureEditor } = await import('./picture.svelte');
const { SoundEditor } = await import('./sound.svelte');
const { TextEditor } = await import('./text.svelte');
type Example = import('../../api/types').Example;

const region = (x: number, name: string | null) => ({
  mark: { class: name, shape: 'polygon', points: [[x, 0], [x + 8, 0], [x + 8, 8], [x, 8]], suggested_by: 'm1' }, score: 2.5, times: null,
});
const again = (start: number, end: number) => ({ mark: { class: 'city', shape: 'span', start, end, suggested_by: 'marks' }, score: null, times: 2 });

async function picture(tool: 'box' | 'polygon' | 'select'): Promise<InstanceType<typeof PictureEditor>> {
  Object.assign(server, { asked: 0, marks: [region(0, null), region(20, 'dent'), region(40, null)], gate: Promise.resolve(), failing: false });
  const editor = new PictureEditor({ id: 'e', marks: [], marks_event: 0, width: 100, height: 50 } as unknown as Example, 'scratch', tool);
  editor.offers.ask();
  await vi.waitFor(() => expect(editor.offers.said).not.toBe(null));
  return editor;
}

test('one is accepted after the other, as what the tool makes, and says where it came from', async () => {
  const editor = await picture('box');
  expect([editor.dirty, editor.offers.open.length]).toEqual([false, 3]);
  editor.acceptOffer();
  expect(editor.marks).toEqual([{ class: 'scratch', shape: 'box', x: 0, y: 0, width: 8, height: 8, suggested_by: 'm1' }]);
  expect([editor.dirty, editor.selected, editor.offers.open.length]).toEqual([true, 0, 2]);
  // From now on it is a mark as any other.
  editor.nudge(3, 0);
  editor.setClass('dirt');
  expect(editor.marks).toEqual([{ class: 'dirt', shape: 'box', x: 3, y: 0, width: 8, height: 8, suggested_by: 'm1' }]);
  editor.pick('polygon');
  editor.acceptOffer();
  expect(editor.marks[1]).toEqual(region(20, 'dirt').mark);
});

test('a mark that the mouse holds while another is accepted goes on to move, and each is taken back by itself', async () => {
  const editor = await picture('box');
  editor.acceptOffer();
  const [first] = editor.marks;
  // Large enough that its middle is far from its handles.
  editor.view = { scale: 20, x: 0, y: 0 };
  editor.grip([4, 4]);
  editor.drag([7, 4], [3, 0]);
  editor.acceptOffer();
  editor.drag([9, 4], [5, 0]);
  const [moved, second] = [{ ...first, x: 5 }, { class: 'dent', shape: 'box', x: 20, y: 0, width: 8, height: 8, suggested_by: 'm1' }];
  expect(editor.marks).toEqual([moved, second]);
  editor.letGo();
  expect([editor.marks, editor.selected]).toEqual([[moved, second], 0]);
  editor.undo();
  expect(editor.marks).toEqual([first, second]);
  editor.undo();
  expect(editor.marks).toEqual([first]);
  expect(editor.offers.open.length).toBe(2);
});

test('a mark that is deleted while the mouse holds it is gone, and as it was when that is taken back', async () => {
  const editor = await picture('box');
  editor.acceptOffers();
  const all = editor.marks;
  editor.select(0);
  editor.grip([4, 4]);
  editor.drag([7, 4], [3, 0]);
  editor.remove();
  editor.drag([9, 4], [5, 0]);
  editor.letGo();
  expect(editor.marks).toEqual(all.slice(1));
  editor.undo();
  expect(editor.marks).toEqual(all);
});

test('all are accepted in one step, and offered again when it is taken back', async () => {
  const editor = await picture('select');
  editor.acceptOffers();
  expect([editor.marks.length, editor.offers.open.length, editor.offers.next]).toEqual([3, 0, undefined]);
  editor.undo();
  expect([editor.marks.length, editor.offers.open.length, editor.canUndo]).toEqual([0, 3, false]);
});

test('what is refused or hidden is not accepted, and nothing of it is marked', async () => {
  const editor = await picture('polygon');
  editor.refuseOffer();
  expect(editor.offers.next?.mark.class).toBe('dent');
  editor.toggleOffers();
  editor.acceptOffer();
  editor.acceptOffers();
  editor.refuseOffer();
  expect([editor.marks.length, editor.dirty, editor.offers.open.length, editor.offers.shown.length]).toEqual([0, false, 2, 0]);
  editor.toggleOffers();
  editor.acceptOffers();
  expect(editor.marks.map((mark) => mark.class)).toEqual(['dent', 'scratch']);
});

test('who does not see hears what would be accepted, and what was', async () => {
  const editor = await picture('box');
  const next = (): string => (editor.offers.next ? editor.told(editor.offers.next) : '');
  expect(next()).toBe('scratch, 4% from the left, 8% from the top');
  editor.acceptOffer();
  expect([editor.announced, next()]).toEqual(['Accepted: scratch, 4% from the left, 8% from the top. 2 left', 'dent, 24% from the left, 8% from the top']);
  editor.setClass('dirt');
  expect(next()).toBe('dirt, 24% from the left, 8% from the top');
  editor.refuseOffer();
  expect(editor.announced).toBe('Refused: dirt, 24% from the left, 8% from the top. 1 left');
});

test('the server is asked once, and again where nobody waited for the answer or it failed', async () => {
  const editor = await picture('box');
  editor.offers.ask();
  expect(server.asked).toBe(1);
  Object.assign(server, { asked: 0, failing: true });
  const other = new PictureEditor({ id: 'f', marks: [], marks_event: 0, width: 9, height: 9 } as unknown as Example, null, 'box');
  other.offers.ask()();
  other.offers.ask();
  await vi.waitFor(() => expect(other.offers.error).not.toBe(null));
  expect([server.asked, other.offers.said]).toEqual([2, null]);
  server.failing = false;
  other.offers.askAgain();
  await vi.waitFor(() => expect(other.offers.said).not.toBe(null));
});

test('who leaves stops what was asked again, too', async () => {
  server.failing = true;
  const editor = new PictureEditor({ id: 'g', marks: [], marks_event: 0, width: 9, height: 9 } as unknown as Example, null, 'box');
  const leave = editor.offers.ask();
  await vi.waitFor(() => expect(editor.offers.error).not.toBe(null));
  Object.assign(server, { failing: false, gate: new Promise(() => {}) });
  editor.offers.askAgain();
  expect(server.signal?.aborted).toBe(false);
  leave();
  expect(server.signal?.aborted).toBe(true);
});

test('in texts only whole words that are not marked are offered', async () => {
  Object.assign(server, { marks: [again(0, 4), again(9, 13), again(19, 23)], gate: Promise.resolve(), failing: false });
  const editor = new TextEditor({ id: 't', text: 'Rome and Romeo are Rome', marks: [], marks_event: 0 } as unknown as Example, null, 'en');
  editor.offers.ask();
  await vi.waitFor(() => expect(editor.offers.open.length).toBe(2));
  editor.setClass('person');
  editor.acceptOffer();
  expect(editor.marks).toEqual([again(0, 4).mark]);
  expect(editor.announced).toBe('Accepted: city, “Rome”. 1 left');
  expect(editor.offers.next).toEqual(again(19, 23));
});

test('of a sound the stretches that a model hears are offered in their order, each with its own class, and can be heard alone', async () => {
  const heard = (start: number, end: number, name: string) => ({ mark: { class: name, shape: 'segment', start, end, suggested_by: 'm1' }, score: null, times: null, confidence: 0.9 });
  server.marks = [heard(0, 2, 'cough'), heard(2, 65, 'speech')];
  const editor = new SoundEditor({ id: 'e', marks: [], marks_event: 0 } as unknown as Example, 'noise');
  editor.seconds = 70;
  editor.offers.ask();
  await vi.waitFor(() => expect(editor.offers.open.length).toBe(2));
  expect(editor.told(editor.offers.next!)).toBe('cough, 0.00 – 2.00');
  expect(editor.playable).toMatchObject({ start: 0, end: 2 });
  editor.acceptOffer();
  editor.setClass('sneeze');
  editor.escape();
  expect(editor.told(editor.offers.next!)).toBe('speech, 2.00 – 1:05.00');
  editor.acceptOffers();
  expect(editor.marks).toEqual([
    { class: 'sneeze', shape: 'segment', start: 0, end: 2, suggested_by: 'm1' },
    { class: 'speech', shape: 'segment', start: 2, end: 65, suggested_by: 'm1' },
  ]);
  expect([editor.offers.open.length, editor.playable]).toEqual([0, null]);
});
