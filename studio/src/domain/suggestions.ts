// What the quick model would answer: as an answer to give, in words, and whether it is another one than was given.

import type { Example, Suggestion, Task } from '../api/types';
import { numberText, type Answer } from './answers';
import { percent } from './format';

/** A label that the model finds likely. */
export type Likely = NonNullable<Suggestion['labels']>[number];

/** The answer that accepts it; null where there is nothing to accept. */
export function accepted(suggestion: Suggestion | null, task: Task): Answer | null {
  if (!suggestion) return null;
  const { label, labels, number } = suggestion;
  if (task === 'classes') return labels && { labels: labels.map((one) => one.label) };
  if (task === 'number') return number === null ? null : { number };
  return label === null ? null : { label };
}

/** The labels it would tick, whatever the task. */
export function likely(suggestion: Suggestion | null): readonly Likely[] {
  const { label, labels, probability } = suggestion ?? {};
  if (labels) return labels;
  return label != null && probability != null ? [{ label, probability }] : [];
}

/** In words, with how sure it is: “a 97 %, b 60 %”, “12.5 (11 to 14)”. */
export function suggestionText(suggestion: Suggestion, none: string, between: (low: string, high: string) => string, locale: string): string {
  const { labels, number, low, high } = suggestion;
  if (number !== null) {
    const ends = low === null || high === null ? '' : ` (${between(numberText(low, locale), numberText(high, locale))})`;
    return `${numberText(number, locale)}${ends}`;
  }
  if (labels?.length === 0) return none;
  return likely(suggestion).map((one) => `${one.label} ${percent(one.probability, locale)}`).join(', ');
}

/** Whether it contradicts the answer that was given: another class, other labels, a number outside of the interval. */
export function contradicts({ label, labels, number, suggestion }: Pick<Example, 'label' | 'labels' | 'number' | 'suggestion'>): boolean {
  if (!suggestion) return false;
  if (label !== null) return suggestion.label !== null && suggestion.label !== label;
  if (labels !== null) {
    const ticked = suggestion.labels?.map((one) => one.label).toSorted();
    return ticked !== undefined && ticked.join('\n') !== labels.toSorted().join('\n');
  }
  const { low, high } = suggestion;
  return number !== null && low !== null && high !== null && (number < low || number > high);
}
