import type { MarkEditor } from '../../parts/marking/editor.svelte';
import type { Action } from '../action';

/** Shows what others marked, or hides it again. */
export const toggleOthers: Action<MarkEditor> = {
  title: 'others.toggle.key',
  keys: ['o'],
  ready: ({ others }) => others !== null,
  run: ({ others }) => others?.toggle(),
};
