import type { Action } from './action';

/** What everybody together most probably says is what holds. */
export const decideSuggested: Action<{ maySuggest: boolean; decideSuggested: () => void; back: () => void }> = {
  title: 'agree.dispute.suggested',
  keys: ['Enter'],
  ready: ({ maySuggest }) => maySuggest,
  run: (agreement) => agreement.decideSuggested(),
  undo: (agreement) => agreement.back(),
};
