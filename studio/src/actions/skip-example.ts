import type { Example } from '../api/types';
import type { Action } from './action';

export const skipExample: Action<{ current: Example | undefined; skip: () => void }> = {
  title: 'label.skip',
  keys: ['Space', 'ArrowRight'],
  ready: ({ current }) => current !== undefined,
  run: (context) => context.skip(),
};
