import type { MapState } from '../../pages/map/state.svelte';
import type { Action } from '../action';

export const selectHere: Action<MapState> = {
  title: 'map.here',
  keys: ['Space', 'Enter'],
  run: (map) => map.selectHere(),
  undo: (map) => map.clear(),
};
