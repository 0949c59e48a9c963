// Everything the keyboard does on the map.

import { bind, type Bound } from '../../actions/action';
import { giveClass } from '../../actions/give-class';
import { clearMap } from '../../actions/map/clear-map';
import { fitMap } from '../../actions/map/fit-map';
import { moveMap } from '../../actions/map/move-map';
import { pickMapTool, toolKeys } from '../../actions/map/pick-map-tool';
import { selectHere } from '../../actions/map/select-here';
import { zoomMap } from '../../actions/map/zoom-map';
import type { Dataset } from '../../api/types';
import { mapTools, type MapState } from './state.svelte';

export { toolKeys };

export function mapActions(map: MapState, dataset: Dataset, letters: string[], editable: boolean): Bound[] {
  const looking = [moveMap, zoomMap, fitMap, selectHere, clearMap, ...mapTools.map(pickMapTool)].map((action) => bind(action, map));
  if (!editable) return looking;
  const classes = dataset.classes.slice(0, letters.length);
  return [...looking, ...classes.map((one, i) => giveClass(one.name, letters[i] ?? '', () => void map.label(one.name), () => map.mayLabel))];
}
