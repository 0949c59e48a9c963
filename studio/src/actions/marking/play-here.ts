import type { SoundEditor } from '../../parts/marking/sound.svelte';
import type { Action } from '../action';

export const playHere: Action<SoundEditor> = {
  title: 'marks.sound.play',
  keys: ['Space'],
  run: (editor) => editor.toggle(),
};
