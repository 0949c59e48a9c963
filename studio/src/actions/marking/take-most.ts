import type { Action } from '../action';

/** Decides that what most people found holds. */
export const takeMost: Action<{ mayTakeMost: boolean; takeMost: () => Promise<void> }> = {
  title: 'others.take.most.key',
  keys: ['Enter'],
  ready: ({ mayTakeMost }) => mayTakeMost,
  run: (marks) => marks.takeMost(),
};
