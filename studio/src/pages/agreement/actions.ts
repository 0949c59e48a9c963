// Everything the keyboard does with disputes.

import { bind, type Bound } from '../../actions/action';
import { decideAgain } from '../../actions/decide-again';
import { decideSuggested } from '../../actions/decide-suggested';
import { findClass } from '../../actions/find-class';
import { giveClass } from '../../actions/give-class';
import { noneApplies } from '../../actions/none-applies';
import { saveLabels } from '../../actions/save-labels';
import type { Dataset } from '../../api/types';
import { t } from '../../i18n';
import type { AgreementState } from './state.svelte';

export function disputeActions(agreement: AgreementState, dataset: Dataset, letters: readonly string[]): Bound[] {
  if (!agreement.current) return [];
  const moves: Bound[] = [
    { title: () => t('common.previous'), keys: ['ArrowLeft'], ready: () => agreement.at > 0, run: () => agreement.go(-1) },
    { title: () => t('common.next'), keys: ['ArrowRight'], ready: () => agreement.at < agreement.disputes.length - 1, run: () => agreement.go(1) },
  ];
  const classes = dataset.task === 'number' ? [] : dataset.classes.slice(0, letters.length);
  const tasks = dataset.task === 'classes' ? [bind(saveLabels, agreement), bind(noneApplies, agreement)] : [];
  return [
    ...tasks,
    bind(decideSuggested, agreement),
    ...classes.map((one, i) => giveClass(one.name, letters[i] ?? '', () => agreement.choose(one.name))),
    ...moves,
    bind(decideAgain, agreement),
    ...(dataset.task === 'number' ? [] : [bind(findClass, { pick: () => (agreement.picking = true) })]),
  ];
}
