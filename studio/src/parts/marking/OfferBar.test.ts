import { render } from 'svelte/server';
import { expect, test, vi } from 'vitest';

// What is stubbed has to be there before the modules that use it.
const server = vi.hoisted(() => {
  globalThis.navigator ??= { languages: ['en'] } as unknown as Navigator;
  return { said: { model: null as unknown, marks: [] as unknown[] } };
});
vi.mock('../../api/calls', () => ({ examples: { suggestedMarks: async () => server.said } }));

const { default: OfferBar } = await import('./OfferBar.svelte');
const { PictureEditor } = await import('./picture.svelte');
type Example = import('../../api/types').Example;

function editorOf(): InstanceType<typeof PictureEditor> {
  return new PictureEditor({ id: 'e', marks: [], marks_event: 0, width: 100, height: 50 } as unknown as Example, null, 'box');
}

const row = /data-testid="offers"/;

test('the row is there from the question on, also where nothing is suggested', async () => {
  const editor = editorOf();
  const drawn = (): string => render(OfferBar, { props: { editor } }).body;
  expect(drawn()).not.toMatch(row);
  editor.offers.ask();
  expect(drawn()).toMatch(row);
  await vi.waitFor(() => expect(editor.offers.said).not.toBe(null));
  expect(drawn()).toMatch(row);
});

test('the next suggestion is told to who does not see it, and none that is hidden', async () => {
  const mark = { class: 'dent', shape: 'box', x: 20, y: 10, width: 10, height: 10, suggested_by: 'm1' };
  server.said = { model: { id: 'm1', name: 'tiles' }, marks: [{ mark, score: 2, times: null }] };
  const editor = editorOf();
  editor.offers.ask();
  await vi.waitFor(() => expect(editor.offers.said).not.toBe(null));
  const status = (): string | undefined => /role="status"[^>]*>([^<]*)/.exec(render(OfferBar, { props: { editor } }).body)?.[1];
  expect(status()).toBe('Suggested next: dent, 25% from the left, 30% from the top');
  editor.toggleOffers();
  expect(status()).toBe('');
});
