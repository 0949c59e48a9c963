import type { MapState } from '../../pages/map/state.svelte';
import type { Action } from '../action';

export const fitMap: Action<MapState> = {
  title: 'map.fit',
  keys: ['f'],
  run: (map) => map.fit(),
};
