import type { Action } from './action';

export const tuneModel: Action<{ ready: () => boolean; tune: () => Promise<void>; cancel: () => Promise<void> }> = {
  title: 'models.tune',
  keys: ['t'],
  ready: ({ ready }) => ready(),
  run: ({ tune }) => tune(),
  undo: ({ cancel }) => cancel(),
};
