import type { PictureEditor } from '../../parts/marking/picture.svelte';
import type { Action } from '../action';

/**
 * What a press of the mouse would do, where the crosshair is. Without one Space only waits for a drag to pan; and Enter
 * where a mark was just made says that this was all.
 */
export const pressHere: Action<PictureEditor> = {
  title: 'marks.press',
  keys: ['Space', 'Enter'],
  ready: (editor, key) => editor.byKeys && editor.ready && !(key === 'Enter' && editor.resting),
  run: (editor, key) => {
    // A polygon is finished with Enter; its corners are set with Space.
    if (key === 'Enter' && editor.tool === 'polygon' && editor.corners.length >= 3) editor.close();
    else editor.press();
  },
};
