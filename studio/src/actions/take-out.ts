import type { Action } from './action';

interface Moving {
  mayMove: boolean;
  move: () => Promise<void>;
  undoLast: () => Promise<void>;
}

export const takeOut: Action<Moving> = {
  title: 'gallery.take_out',
  keys: ['r'],
  ready: ({ mayMove }) => mayMove,
  run: ({ move }) => move(),
  undo: ({ undoLast }) => undoLast(),
};

/** The same key where what was taken out is shown. */
export const bringBack: Action<Moving> = { ...takeOut, title: 'gallery.bring_back' };
