import type { SoundEditor } from '../../parts/marking/sound.svelte';
import type { Action } from '../action';

const NEAR_S = 0.1;
const FAR_S = 1;

export const seekSound: Action<SoundEditor> = {
  title: 'marks.sound.seek',
  keys: ['ArrowLeft', 'ArrowRight'],
  more: ['Shift+ArrowLeft', 'Shift+ArrowRight'],
  run: (editor, key) => editor.seek(editor.head + (key.endsWith('Right') ? 1 : -1) * (key.startsWith('Shift+') ? FAR_S : NEAR_S)),
};
