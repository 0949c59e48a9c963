import type { PictureEditor } from '../../parts/marking/picture.svelte';
import type { Action } from '../action';

/** Takes hold of another corner of the selected mark, for the arrows to move. */
export const nextHandle: Action<PictureEditor> = {
  title: 'marks.handle',
  keys: [',', '.'],
  ready: ({ tool, chosen }) => tool === 'select' && chosen !== undefined && chosen.shape !== 'brush',
  run: (editor, key) => editor.nextHandle(key === '.' ? 1 : -1),
};
