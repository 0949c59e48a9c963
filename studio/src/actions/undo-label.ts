import type { Action } from './action';

export const undoLabel: Action<{ undoLast: () => Promise<void> }> = {
  title: 'label.undo',
  keys: ['Mod+z', 'Backspace'],
  run: ({ undoLast }) => undoLast(),
};
