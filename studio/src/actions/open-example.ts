import type { Action } from './action';

export const openExample: Action<{ active: number; total: number | null; open: (index: number) => void }> = {
  title: 'gallery.open',
  keys: ['Enter'],
  ready: (gallery) => !!gallery.total,
  run: (gallery) => gallery.open(gallery.active),
};
