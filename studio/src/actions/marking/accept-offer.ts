import type { MarkEditor } from '../../parts/marking/editor.svelte';
import type { Action } from '../action';

/** Marks what is suggested next. */
export const acceptOffer: Action<MarkEditor> = {
  title: 'marks.offers.accept.key',
  keys: ['y'],
  ready: ({ offers }) => offers.next !== undefined,
  run: (editor) => editor.acceptOffer(),
  undo: (editor) => editor.undo(),
};
