import type { PictureEditor } from '../../parts/marking/picture.svelte';
import type { Action } from '../action';

export const arrows = ['ArrowLeft', 'ArrowRight', 'ArrowUp', 'ArrowDown'];
export const farArrows = arrows.map((arrow) => `Shift+${arrow}`);

/** Screen pixels of a step: small enough to meet a scratch, large enough to get somewhere with Shift. */
const NEAR = 4;
const FAR = 40;

/** The step of an arrow key, in pixels of the picture: at least one, so that zooming in makes the hand steady. */
export function stepOf({ view }: PictureEditor, key: string): [number, number] {
  const length = Math.max(1, Math.round((key.startsWith('Shift+') ? FAR : NEAR) / view.scale));
  const x = key.endsWith('ArrowRight') ? length : key.endsWith('ArrowLeft') ? -length : 0;
  const y = key.endsWith('ArrowDown') ? length : key.endsWith('ArrowUp') ? -length : 0;
  return [x, y];
}

/** Moves the crosshair of the keyboard. */
export const moveCross: Action<PictureEditor> = {
  title: 'marks.cross',
  keys: arrows,
  more: farArrows,
  ready: (editor) => editor.ready,
  run: (editor, key) => editor.moveCross(...stepOf(editor, key)),
};
