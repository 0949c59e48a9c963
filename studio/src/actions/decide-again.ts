import type { Action } from './action';

export const decideAgain: Action<{ back: () => void }> = {
  title: 'worklist.back',
  keys: ['Backspace', 'Mod+z'],
  run: (worklist) => worklist.back(),
};
