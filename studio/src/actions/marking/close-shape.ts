import type { PictureEditor } from '../../parts/marking/picture.svelte';
import type { Action } from '../action';

export const closeShape: Action<PictureEditor> = {
  title: 'marks.close',
  keys: ['Enter'],
  ready: (editor) => editor.corners.length >= 3,
  run: (editor) => editor.close(),
};
