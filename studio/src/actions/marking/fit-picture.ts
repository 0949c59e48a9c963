import type { PictureEditor } from '../../parts/marking/picture.svelte';
import type { Action } from '../action';

export const fitPicture: Action<PictureEditor> = {
  title: 'marks.fit',
  keys: ['f'],
  ready: (editor) => editor.ready,
  run: (editor) => editor.fit(),
};
