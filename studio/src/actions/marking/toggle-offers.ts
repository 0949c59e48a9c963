import type { MarkEditor } from '../../parts/marking/editor.svelte';
import type { Action } from '../action';

/** Hides what is suggested, or shows it again. */
export const toggleOffers: Action<MarkEditor> = {
  title: 'marks.offers.toggle.key',
  keys: ['l'],
  ready: ({ offers }) => offers.open.length > 0,
  run: (editor) => editor.toggleOffers(),
};
