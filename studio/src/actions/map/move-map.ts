import type { MapState } from '../../pages/map/state.svelte';
import type { Action } from '../action';

const NEAR = 40;
const FAR = 240;
const arrows = ['ArrowLeft', 'ArrowRight', 'ArrowUp', 'ArrowDown'];

export const moveMap: Action<MapState> = {
  title: 'map.move',
  keys: arrows,
  more: arrows.map((arrow) => `Shift+${arrow}`),
  // Arrows scroll the list beside the map when the keyboard is there.
  ready: () => document.activeElement === document.body || !!document.activeElement?.matches('[role="application"]'),
  run: (map, key) => {
    const length = key.startsWith('Shift+') ? FAR : NEAR;
    // An arrow looks further that way, so the points go the other way.
    const x = key.endsWith('Left') ? length : key.endsWith('Right') ? -length : 0;
    const y = key.endsWith('Up') ? length : key.endsWith('Down') ? -length : 0;
    map.pan(x, y);
  },
};
