import type { TextEditor } from '../../parts/marking/text.svelte';
import type { Action } from '../action';

export const wholeWords: Action<TextEditor> = {
  title: 'marks.whole',
  keys: ['w'],
  ready: ({ selection }) => selection !== null,
  run: (editor) => editor.whole(),
};
