import { nothing, type Selection } from '../domain/selection';
import type { Action } from './action';

export const clearSelection: Action<{ selection: Selection; nSelected: number }> = {
  title: 'gallery.select.none',
  keys: ['Escape'],
  ready: (gallery) => gallery.nSelected > 0,
  run: (gallery) => {
    gallery.selection = nothing;
  },
};
