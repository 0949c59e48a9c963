import type { Action } from './action';

/** Opens the label book beside the work, or closes it. */
export const toggleBook: Action<{ toggleBook: () => void }> = {
  title: 'book.toggle',
  keys: ['h'],
  run: (context) => context.toggleBook(),
};
