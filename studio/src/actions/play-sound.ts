import type { Example } from '../api/types';
import { player } from '../parts/player.svelte';
import type { DatasetStore } from '../pages/dataset/store.svelte';
import type { Action } from './action';

interface Context {
  store: DatasetStore;
  active: number;
  example: (index: number) => Example | undefined;
}

export const playSound: Action<Context> = {
  title: 'gallery.play',
  keys: ['p'],
  ready: ({ store }) => store.data?.modality === 'sound',
  run: (gallery) => {
    const example = gallery.example(gallery.active);
    if (example) player.toggle(example.id);
  },
};
