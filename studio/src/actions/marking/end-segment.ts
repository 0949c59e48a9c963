import type { SoundEditor } from '../../parts/marking/sound.svelte';
import type { Action } from '../action';

export const endSegment: Action<SoundEditor> = {
  title: 'marks.sound.end',
  keys: ['e'],
  ready: ({ begun, segment }) => begun !== null || segment !== null,
  run: (editor) => editor.endHere(),
  undo: (editor) => editor.undo(),
};
