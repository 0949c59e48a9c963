import type { PictureEditor } from '../../parts/marking/picture.svelte';
import type { Action } from '../action';

export const GROW = 1.25;

export const sizeBrush: Action<PictureEditor> = {
  title: 'marks.brush.keys',
  keys: [',', '.'],
  more: ['[', ']'],
  ready: ({ tool }) => tool === 'brush' || tool === 'eraser',
  run: (editor, key) => editor.grow(key === '.' || key === ']' ? GROW : 1 / GROW),
};
