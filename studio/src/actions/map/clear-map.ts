import type { MapState } from '../../pages/map/state.svelte';
import type { Action } from '../action';

export const clearMap: Action<MapState> = {
  title: 'map.clear',
  keys: ['Escape'],
  ready: ({ nSelected }) => nSelected > 0,
  run: (map) => map.clear(),
};
