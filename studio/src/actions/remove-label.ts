import type { Action } from './action';

export const removeLabel: Action<{ clear: () => Promise<void>; undoLast: () => Promise<void> }> = {
  title: 'gallery.label.clear',
  keys: ['Delete'],
  run: ({ clear }) => clear(),
  undo: ({ undoLast }) => undoLast(),
};
