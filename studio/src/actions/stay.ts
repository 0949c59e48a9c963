import type { Action } from './action';
import type { Warned } from './follow-rule';

/** The label is right, whatever was said against it. */
export const stay: Action<Warned> = {
  title: 'label.warning.keep',
  keys: ['Escape'],
  ready: ({ mayStay }) => mayStay,
  run: (labelling) => labelling.stay(),
};
