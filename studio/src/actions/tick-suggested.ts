import type { Action } from './action';

/** Several labels: what the model suggests is ticked, to be mended. */
export const tickSuggested: Action<{ mayTick: boolean; tick: () => void }> = {
  title: 'label.tick',
  keys: ['.'],
  ready: ({ mayTick }) => mayTick,
  run: (labelling) => labelling.tick(),
};
