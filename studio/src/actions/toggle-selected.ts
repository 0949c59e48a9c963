import { toggle, type Selection } from '../domain/selection';
import type { Action } from './action';

export const toggleSelected: Action<{ selection: Selection; active: number; total: number | null }> = {
  title: 'gallery.select',
  keys: ['Space', 'x'],
  ready: (gallery) => !!gallery.total,
  run: (gallery) => {
    gallery.selection = toggle(gallery.selection, gallery.active);
  },
};
