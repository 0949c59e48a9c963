import type { MarkEditor } from '../../parts/marking/editor.svelte';
import type { Action } from '../action';

/** What is suggested next is none; it is not offered again while the example is shown. */
export const refuseOffer: Action<MarkEditor> = {
  title: 'marks.offers.refuse.key',
  keys: ['x'],
  ready: ({ offers }) => offers.next !== undefined,
  run: (editor) => editor.refuseOffer(),
};
