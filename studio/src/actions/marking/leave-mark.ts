import type { MarkEditor } from '../../parts/marking/editor.svelte';
import type { Action } from '../action';

/** Leaves what was begun: a corner, the selection, the crosshair. */
export const leaveMark: Action<MarkEditor> = {
  title: 'marks.leave',
  keys: ['Escape'],
  ready: (editor) => editor.leavable,
  run: (editor) => editor.escape(),
};
