// Which examples the gallery shows, and what gives their order.

import type { Query } from './route';

/** What gives the order where none was asked for, as the server has it. */
export function usualOrder({ similar_to, finding, label, suggestion, state }: Query): 'similar' | 'found' | 'disagrees' | 'position' {
  if (similar_to) return 'similar';
  if (finding) return 'found';
  return state === 'disagrees' && !(label && suggestion) ? 'disagrees' : 'position';
}
