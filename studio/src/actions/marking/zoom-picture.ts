import type { PictureEditor } from '../../parts/marking/picture.svelte';
import type { Action } from '../action';

export const ZOOM = 1.4;

export const zoomPicture: Action<PictureEditor> = {
  title: 'marks.zoom',
  keys: ['+', '-'],
  more: ['='],
  ready: (editor) => editor.ready,
  run: (editor, key) => editor.zoomHere(key === '-' ? 1 / ZOOM : ZOOM),
};
