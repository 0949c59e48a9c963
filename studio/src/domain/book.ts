// The label book: which answers a case may get, and what is written about each class.

import type { BookRule, BrokenByMany, ClassNote, Conflict, RuleChoice } from '../api/types';

/** Characters of a note, as the server allows. */
export const MOST_NOTED = 2000;

/** A possible answer to a case, with its key. */
export interface Offer {
  choice: RuleChoice;
  key: string;
}

/** What a case may be decided as, in the order of the keys. */
export function offers({ split }: Pick<Conflict, 'split'>): Offer[] {
  const all: RuleChoice[] = ['all_a', 'all_b', ...(split === null ? [] : (['split'] as const)), 'new_class', 'exclude'];
  return all.map((choice, i) => ({ choice, key: String(i + 1) }));
}

/** Every class with its note, in the order of the classes; null where nothing is written yet. */
export function notesOf(classes: readonly string[], notes: readonly ClassNote[]): { name: string; note: ClassNote | null }[] {
  return classes.map((name) => ({ name, note: notes.find((note) => note.class === name) ?? null }));
}

/** The exemplars of a rule by the label they had; under null where that is not told. */
export function byGiven(rule: Pick<BookRule, 'exemplars'>): { given: string | null; exemplars: BookRule['exemplars'] }[] {
  const groups = new Map<string | null, BookRule['exemplars']>();
  for (const exemplar of rule.exemplars) groups.set(exemplar.given, [...(groups.get(exemplar.given) ?? []), exemplar]);
  return [...groups].map(([given, exemplars]) => ({ given, exemplars }));
}

/** The newest rule first: it counts where two meet. */
export function newestFirst<T extends Pick<BookRule, 'number'>>(rules: readonly T[]): T[] {
  return rules.toSorted((a, b) => b.number - a.number);
}

/** What rules have against labels that went in several letters: each rule once for what it asks. */
export function joined(known: readonly BrokenByMany[], more: readonly BrokenByMany[]): BrokenByMany[] {
  const all = [...known];
  for (const one of more) {
    const at = all.findIndex((other) => other.rule.number === one.rule.number && other.asks === one.asks);
    const same = all[at];
    if (same) all[at] = { ...same, examples: [...same.examples, ...one.examples] };
    else all.push(one);
  }
  return all;
}
