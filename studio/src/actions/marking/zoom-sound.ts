import type { SoundEditor } from '../../parts/marking/sound.svelte';
import type { Action } from '../action';

const MOST = 32;

export const zoomSound: Action<SoundEditor> = {
  title: 'marks.zoom',
  keys: ['+', '-'],
  more: ['='],
  run: (editor, key) => {
    editor.zoom = Math.max(1, Math.min(MOST, editor.zoom * (key === '-' ? 0.5 : 2)));
  },
};
