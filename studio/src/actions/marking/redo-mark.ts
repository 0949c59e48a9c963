import type { MarkEditor } from '../../parts/marking/editor.svelte';
import type { Action } from '../action';

export const redoMark: Action<MarkEditor> = {
  title: 'marks.redo',
  keys: ['Mod+Shift+z', 'Mod+y'],
  ready: ({ canRedo }) => canRedo,
  run: (editor) => editor.redo(),
  undo: (editor) => editor.undo(),
};
