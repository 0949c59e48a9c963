import type { Action } from './action';
import type { Deciding } from './decide-relabel';

export const decideKeep: Action<Deciding> = {
  title: 'worklist.keep',
  keys: ['k'],
  ready: ({ current }) => current !== undefined,
  run: (worklist) => worklist.decide('keep'),
  undo: (worklist) => worklist.back(),
};
