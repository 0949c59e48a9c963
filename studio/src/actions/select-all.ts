import { all, type Selection } from '../domain/selection';
import type { Action } from './action';

export const selectAll: Action<{ selection: Selection; total: number | null }> = {
  title: 'gallery.select.all',
  keys: ['Mod+a'],
  run: (gallery) => {
    gallery.selection = all(gallery.total ?? 0);
  },
};
