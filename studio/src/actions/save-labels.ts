import type { Action } from './action';

/** Several labels: what is ticked is the answer. */
export const saveLabels: Action<{ mayGiveDrafted: boolean; giveDrafted: () => void; undo: () => Promise<void> }> = {
  title: 'task.save',
  keys: ['Enter'],
  ready: ({ mayGiveDrafted }) => mayGiveDrafted,
  run: (labelling) => labelling.giveDrafted(),
  undo: (labelling) => labelling.undo(),
};
