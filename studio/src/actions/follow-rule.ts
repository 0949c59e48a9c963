import type { Action } from './action';

export interface Warned {
  /** Whether a rule speaks against the last label, and asks for another. */
  mayFollow: boolean;
  followRule: () => void;
  mayStay: boolean;
  stay: () => void;
  undo: () => Promise<void>;
}

/** Takes the label that the rule asks for. */
export const followRule: Action<Warned> = {
  title: 'book.warning.follow.short',
  keys: ['Shift+Enter'],
  ready: ({ mayFollow }) => mayFollow,
  run: (labelling) => labelling.followRule(),
  undo: (labelling) => labelling.undo(),
};
