// Everything the keyboard does while labelling.

import { acceptSuggestion } from '../../actions/accept-suggestion';
import { bind, type Bound } from '../../actions/action';
import { findClass } from '../../actions/find-class';
import { giveClass } from '../../actions/give-class';
import { followRule } from '../../actions/follow-rule';
import { finishMarking } from '../../actions/marking/finish-marking';
import { toggleMarking } from '../../actions/marking/toggle-marking';
import { noneApplies } from '../../actions/none-applies';
import { saveLabels } from '../../actions/save-labels';
import { skipExample } from '../../actions/skip-example';
import { stay } from '../../actions/stay';
import { toggleBook } from '../../actions/toggle-book';
import { tickSuggested } from '../../actions/tick-suggested';
import { undoLabel } from '../../actions/undo-label';
import type { Dataset } from '../../api/types';
import { prefs } from '../../app/prefs.svelte';
import { canBeMarked } from '../../domain/content';
import { markingActions } from '../../parts/marking/actions';
import type { LabelState } from './state.svelte';

const BOOK = { toggleBook: () => (prefs.book = !prefs.book) };

export function labelActions(labelling: LabelState, dataset: Dataset, letters: string[]): Bound[] {
  const { editor, on } = labelling.marking;
  const context = { pick: () => (labelling.picking = true), undoLast: () => labelling.undo() };
  const marks = {
    mayMark: labelling.current !== undefined && canBeMarked(labelling.modality),
    toggleMarking: () => labelling.toggleMarking(),
    finishMarking: () => labelling.finishMarking(),
  };
  const marking = on && editor ? [...markingActions(editor), bind(finishMarking, marks)] : [];
  const tasks = dataset.task === 'classes' ? [bind(saveLabels, labelling), bind(noneApplies, labelling), bind(tickSuggested, labelling)] : [];
  return [
    ...marking,
    ...dataset.classes.slice(0, letters.length).map((one, i) =>
      giveClass(one.name, letters[i] ?? '', () => labelling.choose(one.name), () => labelling.current !== undefined),
    ),
    bind(toggleMarking, marks),
    ...tasks,
    bind(acceptSuggestion, labelling),
    bind(skipExample, labelling),
    bind(followRule, labelling),
    bind(stay, labelling),
    bind(undoLabel, context),
    bind(findClass, context),
    ...(dataset.task === 'number' ? [] : [bind(toggleBook, BOOK)]),
  ];
}
