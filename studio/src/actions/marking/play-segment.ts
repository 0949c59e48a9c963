import type { SoundEditor } from '../../parts/marking/sound.svelte';
import type { Action } from '../action';

export const playSegment: Action<SoundEditor> = {
  title: 'marks.sound.segment',
  keys: ['p'],
  ready: ({ playable }) => playable !== null,
  run: (editor) => editor.playSegment(),
};
