import type { TextEditor } from '../../parts/marking/text.svelte';
import type { Action } from '../action';

/** Selects the next word; with Shift the selection, or the selected span, grows or shrinks at its end. */
export const stepWord: Action<TextEditor> = {
  title: 'marks.words',
  keys: ['ArrowLeft', 'ArrowRight'],
  more: ['Shift+ArrowLeft', 'Shift+ArrowRight'],
  run: (editor, key) => editor.step(key.endsWith('Right') ? 1 : -1, key.startsWith('Shift+')),
};
