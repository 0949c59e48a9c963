import type { Others } from '../../parts/marking/others.svelte';
import type { Action } from '../action';

/** Goes on to the marks of the next person. */
export const nextOthers: Action<{ others: Others | null }> = {
  title: 'others.next',
  keys: ['j'],
  ready: ({ others }) => others?.focused !== undefined,
  run: ({ others }) => others?.step(1),
};
