import type { PictureEditor } from '../../parts/marking/picture.svelte';
import type { Action } from '../action';
import { arrows, farArrows, stepOf } from './move-cross';

/** Moves the selected mark, or the corner of it that is held. */
export const moveMark: Action<PictureEditor> = {
  title: 'marks.move',
  keys: arrows,
  more: farArrows,
  ready: (editor) => editor.tool === 'select' && editor.chosen !== undefined && editor.chosen.shape !== 'brush',
  run: (editor, key) => editor.nudge(...stepOf(editor, key)),
  undo: (editor) => editor.undo(),
};
