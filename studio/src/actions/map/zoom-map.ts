import type { MapState } from '../../pages/map/state.svelte';
import type { Action } from '../action';

const ZOOM = 1.5;

export const zoomMap: Action<MapState> = {
  title: 'map.zoom',
  keys: ['+', '-'],
  more: ['='],
  run: (map, key) => map.zoom(key === '-' ? 1 / ZOOM : ZOOM),
};
