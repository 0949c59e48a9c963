// Everything the keyboard does while labelling.

import { acceptSuggestion } from '../../actions/accept-suggestion';
import { bind, type Bound } from '../../actions/action';
import { findClass } from '../../actions/find-class';
import { giveClass } from '../../actions/give-class';
import { finishMarking } from '../../actions/marking/finish-marking';
import { toggleMarking } from '../../actions/marking/toggle-marking';
import { noneApplies } from '../../actions/none-applies';
import { saveLabels } from '../../actions/save-labels';
import { skipExample } from '../../actions/skip-example';
import { undoLabel } from '../../actions/undo-label';
import type { Dataset } from '../../api/types';
import { MARK_LETTERS, markingActions } from '../../parts/marking/actions';
import type { LabelState } from './state.svelte';

/** Letters the page needs itself, so that they stand for no class. */
export const RESERVED = ['n', ...MARK_LETTERS];

export function labelActions(labelling: LabelState, dataset: Dataset, letters: string[]): Bound[] {
  const { editor, on } = labelling.marking;
  const context = { pick: () => (labelling.picking = true), undoLast: () => labelling.undo() };
  const marks = {
    mayMark: labelling.current !== undefined,
    toggleMarking: () => labelling.toggleMarking(),
    finishMarking: () => labelling.finishMarking(),
  };
  const marking = on && editor ? [...markingActions(editor), bind(finishMarking, marks)] : [];
  const tasks = dataset.task === 'classes' ? [bind(saveLabels, labelling), bind(noneApplies, labelling)] : [];
  return [
    ...marking,
    ...dataset.classes.slice(0, letters.length).map((one, i) =>
      giveClass(one.name, letters[i] ?? '', () => labelling.choose(one.name), () => labelling.current !== undefined),
    ),
    bind(toggleMarking, marks),
    ...tasks,
    bind(acceptSuggestion, labelling),
    bind(skipExample, labelling),
    bind(undoLabel, context),
    bind(findClass, context),
  ];
}
