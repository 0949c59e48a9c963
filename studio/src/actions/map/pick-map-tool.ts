import type { MapState, MapTool } from '../../pages/map/state.svelte';
import type { Action } from '../action';

/** The key of each tool. */
export const toolKeys: Record<MapTool, string> = { pan: 'v', box: 'b', lasso: 'l' };

export function pickMapTool(tool: MapTool): Action<MapState> {
  return {
    title: `map.tool.${tool}`,
    keys: [toolKeys[tool]],
    run: (map) => {
      map.tool = tool;
    },
  };
}
