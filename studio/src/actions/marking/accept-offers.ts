import type { MarkEditor } from '../../parts/marking/editor.svelte';
import type { Action } from '../action';

/** Marks all that is suggested, in one step. */
export const acceptOffers: Action<MarkEditor> = {
  title: 'marks.offers.all.key',
  keys: ['k'],
  ready: ({ offers }) => offers.next !== undefined,
  run: (editor) => editor.acceptOffers(),
  undo: (editor) => editor.undo(),
};
