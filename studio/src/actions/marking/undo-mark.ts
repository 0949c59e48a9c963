import type { MarkEditor } from '../../parts/marking/editor.svelte';
import type { Action } from '../action';

/** Takes back what was marked since this example is shown; labels and what was saved before are undone by the page. */
export const undoMark: Action<MarkEditor> = {
  title: 'marks.undo',
  keys: ['Mod+z'],
  ready: ({ canUndo }) => canUndo,
  run: (editor) => editor.undo(),
  undo: (editor) => editor.redo(),
};
