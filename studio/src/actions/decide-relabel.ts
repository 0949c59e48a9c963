import type { Decision, Finding } from '../api/types';
import type { Answer } from '../domain/answers';
import type { Action } from './action';

export interface Deciding {
  current: Finding | undefined;
  decide: (decision: Decision, answer?: Partial<Answer>) => Promise<void>;
  back: () => void;
}

export const decideRelabel: Action<Deciding> = {
  title: 'worklist.relabel.suggested',
  keys: ['y'],
  ready: ({ current }) => !!current?.suggested,
  run: (worklist) => worklist.decide('relabel'),
  undo: (worklist) => worklist.back(),
};
