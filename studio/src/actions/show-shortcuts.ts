import type { Action } from './action';

export const showShortcuts: Action<{ show: () => void }> = {
  title: 'keys.help',
  keys: ['?'],
  run: ({ show }) => show(),
};
