import type { PictureEditor } from '../../parts/marking/picture.svelte';
import type { Action } from '../action';
import { arrows, stepOf } from './move-cross';

const SHARE = 80;

export const panPicture: Action<PictureEditor> = {
  title: 'marks.pan',
  keys: arrows.map((arrow) => `Alt+${arrow}`),
  // Held, Space lets the pointer move the picture; pressed, it must not mean what the page says.
  more: ['Space'],
  ready: (editor) => editor.ready,
  run: (editor, key) => {
    if (key === 'Space') return;
    const [x, y] = stepOf(editor, key);
    editor.pan(-Math.sign(x) * SHARE, -Math.sign(y) * SHARE);
  },
};
