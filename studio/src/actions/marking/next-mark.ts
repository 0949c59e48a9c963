import type { MarkEditor } from '../../parts/marking/editor.svelte';
import type { Action } from '../action';

/** Tab belongs to the marks while no button or field has the focus. */
function isFree(): boolean {
  const at = document.activeElement;
  return at === null || at === document.body || at.matches('dialog, [role="application"]');
}

/** Goes through the marks; past the last one Tab goes on to the rest of the page. */
export const nextMark: Action<MarkEditor> = {
  title: 'marks.next',
  keys: ['Tab'],
  ready: (editor) => isFree() && editor.hasNext(1),
  run: (editor) => editor.next(1),
};

export const previousMark: Action<MarkEditor> = {
  ...nextMark,
  title: 'marks.previous',
  keys: ['Shift+Tab'],
  ready: (editor) => isFree() && editor.hasNext(-1),
  run: (editor) => editor.next(-1),
};
