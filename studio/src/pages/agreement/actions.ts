// Everything the keyboard does with disputes.

import { bind, type Bound } from '../../actions/action';
import { decideAgain } from '../../actions/decide-again';
import { decideSuggested } from '../../actions/decide-suggested';
import { findClass } from '../../actions/find-class';
import { giveClass } from '../../actions/give-class';
import { nextOthers } from '../../actions/marking/next-others';
import { takeMost } from '../../actions/marking/take-most';
import { takeOthers } from '../../actions/marking/take-others';
import { noneApplies } from '../../actions/none-applies';
import { saveLabels } from '../../actions/save-labels';
import type { Dataset } from '../../api/types';
import { t } from '../../i18n';
import type { MarksState } from './marks.svelte';
import type { AgreementState } from './state.svelte';

export function disputeActions(agreement: AgreementState, dataset: Dataset, letters: readonly string[]): Bound[] {
  if (!agreement.current) return [];
  const classes = dataset.task === 'number' ? [] : dataset.classes.slice(0, letters.length);
  const tasks = dataset.task === 'classes' ? [bind(saveLabels, agreement), bind(noneApplies, agreement)] : [];
  return [
    ...tasks,
    bind(decideSuggested, agreement),
    ...classes.map((one, i) => giveClass(one.name, letters[i] ?? '', () => agreement.choose(one.name))),
    ...moves(agreement),
    bind(decideAgain, agreement),
    ...(dataset.task === 'number' ? [] : [bind(findClass, { pick: () => (agreement.picking = true) })]),
  ];
}

/** As for answers, of what people mark. */
export function marksActions(marks: MarksState): Bound[] {
  if (!marks.current) return [];
  return [bind(takeMost, marks), bind(nextOthers, marks), bind(takeOthers, marks), ...moves(marks), bind(decideAgain, marks)];
}

function moves(list: { at: number; disputes: readonly unknown[]; go: (by: number) => void }): Bound[] {
  return [
    { title: () => t('common.previous'), keys: ['ArrowLeft'], ready: () => list.at > 0, run: () => list.go(-1) },
    { title: () => t('common.next'), keys: ['ArrowRight'], ready: () => list.at < list.disputes.length - 1, run: () => list.go(1) },
  ];
}
