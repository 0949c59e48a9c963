import type { MarkEditor } from '../../parts/marking/editor.svelte';
import type { Action } from '../action';

export const deleteMark: Action<MarkEditor> = {
  title: 'marks.delete',
  keys: ['Delete', 'Backspace'],
  ready: ({ chosen }) => chosen !== undefined,
  run: (editor) => editor.remove(),
  undo: (editor) => editor.undo(),
};
