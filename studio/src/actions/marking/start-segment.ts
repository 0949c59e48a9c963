import type { SoundEditor } from '../../parts/marking/sound.svelte';
import type { Action } from '../action';

export const startSegment: Action<SoundEditor> = {
  title: 'marks.sound.start',
  keys: ['b'],
  run: (editor) => editor.startHere(),
  undo: (editor) => editor.undo(),
};
