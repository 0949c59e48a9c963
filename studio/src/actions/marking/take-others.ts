import type { Others } from '../../parts/marking/others.svelte';
import type { Action } from '../action';

/** Decides that the marks in focus hold; once more takes that back. */
export const takeOthers: Action<{ others: Others | null }> = {
  title: 'others.take.key',
  keys: ['t'],
  ready: ({ others }) => others?.focused !== undefined && !others.busy,
  run: ({ others }) => others?.take(),
  undo: ({ others }) => others?.take(),
};
