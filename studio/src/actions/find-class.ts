import type { Action } from './action';

export const findClass: Action<{ pick: () => void }> = {
  title: 'class.find',
  keys: ['n', '/'],
  run: ({ pick }) => pick(),
};
