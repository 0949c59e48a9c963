// Which examples the gallery shows, and what gives their order.

import type { Query } from './route';

/** How sure the quick model is to be: at least, and less than; an empty end is open. */
export interface Sure {
  from: string;
  below: string;
}

/** What is offered: where it guesses, wavers, is fairly sure, is sure. */
export const sureSteps: readonly Sure[] = [
  { from: '', below: '0.6' },
  { from: '0.6', below: '0.8' },
  { from: '0.8', below: '0.95' },
  { from: '0.95', below: '' },
];

/** As it stands in the address; null where it does not matter. */
export function sureOf({ sure_from, sure_below }: Query): Sure | null {
  return sure_from || sure_below ? { from: sure_from ?? '', below: sure_below ?? '' } : null;
}

export function isSame(a: Sure | null, b: Sure | null): boolean {
  return a?.from === b?.from && a?.below === b?.below;
}

/** What gives the order where none was asked for, as the server has it. */
export function usualOrder({ similar_to, finding, label, suggestion, state }: Query): 'similar' | 'found' | 'disagrees' | 'position' {
  if (similar_to) return 'similar';
  if (finding) return 'found';
  return state === 'disagrees' && !(label && suggestion) ? 'disagrees' : 'position';
}
