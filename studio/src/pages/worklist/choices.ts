// The answers that a case may get, in words and on keys.

import type { Bound } from '../../actions/action';
import type { Conflict, RuleChoice } from '../../api/types';
import { offers } from '../../domain/book';
import { t } from '../../i18n';
import type { WorklistState } from './state.svelte';

export function choiceText(choice: RuleChoice, { a, b, split }: Conflict): string {
  switch (choice) {
    case 'all_a':
      return t('book.choice.all', { label: a });
    case 'all_b':
      return t('book.choice.all', { label: b });
    case 'split':
      return split ?? '';
    case 'new_class':
      return t('book.choice.new');
    case 'exclude':
      return t('book.choice.exclude');
  }
}

export function choiceActions(list: WorklistState, conflict: Conflict): Bound[] {
  return offers(conflict).map(({ choice, key }) => ({ title: () => choiceText(choice, conflict), keys: [key], ready: () => true, run: () => list.chooseRule(choice) }));
}
