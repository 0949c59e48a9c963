// Everything the keyboard does while marking, in the order in which it is offered a key.

import { bind, type Bound } from '../../actions/action';
import { acceptOffer } from '../../actions/marking/accept-offer';
import { acceptOffers } from '../../actions/marking/accept-offers';
import { closeShape } from '../../actions/marking/close-shape';
import { deleteMark } from '../../actions/marking/delete-mark';
import { endSegment } from '../../actions/marking/end-segment';
import { fitPicture } from '../../actions/marking/fit-picture';
import { leaveMark } from '../../actions/marking/leave-mark';
import { markSelection } from '../../actions/marking/mark-selection';
import { moveCross } from '../../actions/marking/move-cross';
import { moveMark } from '../../actions/marking/move-mark';
import { nextHandle } from '../../actions/marking/next-handle';
import { nextMark, previousMark } from '../../actions/marking/next-mark';
import { nextOthers } from '../../actions/marking/next-others';
import { panPicture } from '../../actions/marking/pan-picture';
import { pickTool } from '../../actions/marking/pick-tool';
import { playHere } from '../../actions/marking/play-here';
import { playSegment } from '../../actions/marking/play-segment';
import { pressHere } from '../../actions/marking/press-here';
import { redoMark } from '../../actions/marking/redo-mark';
import { refuseOffer } from '../../actions/marking/refuse-offer';
import { seekSound } from '../../actions/marking/seek-sound';
import { sizeBrush } from '../../actions/marking/size-brush';
import { startSegment } from '../../actions/marking/start-segment';
import { stepWord } from '../../actions/marking/step-word';
import { takeOthers } from '../../actions/marking/take-others';
import { toggleOffers } from '../../actions/marking/toggle-offers';
import { toggleOthers } from '../../actions/marking/toggle-others';
import { undoMark } from '../../actions/marking/undo-mark';
import { wholeWords } from '../../actions/marking/whole-words';
import { zoomPicture } from '../../actions/marking/zoom-picture';
import { zoomSound } from '../../actions/marking/zoom-sound';
import type { MarkEditor } from './editor.svelte';
import { PictureEditor, tools } from './picture.svelte';
import { SoundEditor } from './sound.svelte';
import { TextEditor } from './text.svelte';

export function markingActions(editor: MarkEditor): Bound[] {
  return [...ofEditor(editor), ...[acceptOffer, refuseOffer, acceptOffers, toggleOffers, toggleOthers, nextOthers, takeOthers, nextMark, previousMark, deleteMark, undoMark, redoMark, leaveMark].map((action) => bind(action, editor))];
}

function ofEditor(editor: MarkEditor): Bound[] {
  if (editor instanceof PictureEditor) {
    const picking = tools.map(pickTool);
    return [...picking, pressHere, closeShape, moveMark, nextHandle, sizeBrush, moveCross, panPicture, zoomPicture, fitPicture].map((action) => bind(action, editor));
  }
  if (editor instanceof TextEditor) return [stepWord, wholeWords, markSelection].map((action) => bind(action, editor));
  if (editor instanceof SoundEditor) return [playHere, playSegment, seekSound, startSegment, endSegment, zoomSound].map((action) => bind(action, editor));
  return [];
}
