import type { TextEditor } from '../../parts/marking/text.svelte';
import type { Action } from '../action';

/** Marks what is selected with the class that was used last. */
export const markSelection: Action<TextEditor> = {
  title: 'marks.selection',
  keys: ['Space', 'Enter'],
  ready: ({ selection }) => selection !== null,
  run: (editor) => editor.mark(),
  undo: (editor) => editor.undo(),
};
