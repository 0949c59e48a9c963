import type { Action } from './action';

export const acceptSuggestion: Action<{ mayAccept: boolean; accept: () => void; undo: () => Promise<void> }> = {
  title: 'label.accept',
  keys: ['Enter'],
  ready: ({ mayAccept }) => mayAccept,
  run: (context) => context.accept(),
  undo: (context) => context.undo(),
};
