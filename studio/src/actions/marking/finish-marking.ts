import type { Action } from '../action';

/** Everything is marked: saves and goes on. */
export const finishMarking: Action<{ finishMarking: () => void }> = {
  title: 'marks.done',
  keys: ['Enter', 'Mod+Enter'],
  run: (context) => context.finishMarking(),
};
