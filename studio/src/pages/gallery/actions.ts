// Everything the keyboard does in the gallery.

import { bind, type Bound } from '../../actions/action';
import { clearSelection } from '../../actions/clear-selection';
import { findClass } from '../../actions/find-class';
import { giveClass } from '../../actions/give-class';
import { noneApplies } from '../../actions/none-applies';
import { openExample } from '../../actions/open-example';
import { playSound } from '../../actions/play-sound';
import { removeLabel } from '../../actions/remove-label';
import { selectAll } from '../../actions/select-all';
import { bringBack, takeOut } from '../../actions/take-out';
import { toggleSelected } from '../../actions/toggle-selected';
import { undoLabel } from '../../actions/undo-label';
import { who } from '../../app/session.svelte';
import type { GalleryState } from './state.svelte';

export function galleryActions(gallery: GalleryState, letters: string[]): Bound[] {
  const looking = [openExample, toggleSelected, selectAll, clearSelection, playSound].map((action) => bind(action, gallery));
  if (!who.may('labeller')) return looking;
  const moving = { mayMove: !!gallery.total && who.may('editor'), move: () => gallery.moveChosen(), undoLast: () => gallery.undo(1) };
  const undoing = bind(undoLabel, moving);
  // What was taken out is not labelled.
  if (gallery.showsRemoved) return [...looking, bind(bringBack, moving), undoing];
  const context = {
    pick: () => (gallery.picking = true),
    clear: () => gallery.labelChosen(null),
    undoLast: moving.undoLast,
  };
  const none = gallery.task === 'classes' ? [bind(noneApplies, { ...noneOf(gallery), undo: () => gallery.undo(1) })] : [];
  const classes = gallery.store.classes.slice(0, letters.length);
  return [
    ...looking,
    ...classes.map((name, i) => giveClass(name, letters[i] ?? '', () => void gallery.labelChosen(name))),
    ...none,
    bind(findClass, context),
    bind(removeLabel, context),
    bind(takeOut, moving),
    undoing,
  ];
}

function noneOf(gallery: GalleryState): { mayGiveNone: boolean; giveNone: () => void } {
  return { mayGiveNone: !!gallery.total, giveNone: () => void gallery.answerChosen({ labels: [] }) };
}
