import type { Action } from './action';

export const noneApplies: Action<{ mayGiveNone: boolean; giveNone: () => void; undo: () => Promise<void> }> = {
  title: 'task.none.give',
  keys: ['0'],
  ready: ({ mayGiveNone }) => mayGiveNone,
  run: (labelling) => labelling.giveNone(),
  undo: (labelling) => labelling.undo(),
};
