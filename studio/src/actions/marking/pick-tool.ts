import type { PlainKey } from '../../i18n';
import type { PictureEditor, Tool } from '../../parts/marking/picture.svelte';
import type { Action } from '../action';

/** The key of each tool. */
export const toolKeys: Record<Tool, string> = { select: 'v', box: 'b', polygon: 'p', brush: 'r', eraser: 'e' };

export function pickTool(tool: Tool): Action<PictureEditor> {
  const title: PlainKey = `marks.tool.${tool}`;
  return {
    title,
    keys: [toolKeys[tool]],
    ready: (editor) => (tool === 'brush' || tool === 'eraser' ? editor.mayBrush : editor.ready),
    run: (editor) => editor.pick(tool),
  };
}
