import type { Action } from '../action';

export const toggleMarking: Action<{ toggleMarking: () => void; mayMark: boolean }> = {
  title: 'marks.toggle',
  keys: ['m'],
  ready: ({ mayMark }) => mayMark,
  run: (context) => context.toggleMarking(),
};
