import type { Action } from './action';
import type { Deciding } from './decide-relabel';

export const decideRemove: Action<Deciding> = {
  title: 'worklist.remove',
  keys: ['r'],
  ready: ({ current }) => current !== undefined && current.conflict === null,
  run: (worklist) => worklist.decide('remove'),
  undo: (worklist) => worklist.back(),
};
