// Marks of several people on one example: whose list is changed, and what stands beside it to be decided.

import type { Example, Mark, MarkingList, Taking } from '../api/types';

/** What is shown to be changed: where each of several people marks by themselves their own marks, else the one list for all. */
export function marksOf(example: Example): readonly Mark[] {
  return example.own_marks?.marks ?? example.marks;
}

/** Whether other marks hold than this person's own. */
export function holdsOthers({ marks, own_marks }: Example): boolean {
  return own_marks !== null && own_marks !== undefined && marks.length > 0 && JSON.stringify(marks) !== JSON.stringify(own_marks.marks);
}

/** The number of the event that made them so. */
export function eventOf(example: Example): number {
  return example.own_marks?.event ?? example.marks_event;
}

export function withMarks(example: Example, marks: readonly Mark[]): Example {
  return example.own_marks ? { ...example, own_marks: { ...example.own_marks, marks } } : { ...example, marks };
}

/** What was given has arrived, as this event. */
export function withEvent(example: Example, event: number): Example {
  return example.own_marks ? { ...example, own_marks: { ...example.own_marks, event } } : example;
}

/** Whether this person has marked it, or said that there is nothing to mark, where several people do. */
export function hasGiven({ own_marks }: Example): boolean {
  return (own_marks?.event ?? 0) > 0;
}

/** Marks that may be decided on: what most people found, one person's, or what came with the data. */
export interface Layer {
  key: string;
  take: Omit<Taking, 'seen'>;
  /** Absent of what most found, and of what came with the data. */
  name: string | null;
  marks: readonly Mark[];
  /** How far they agree with the others, in [0, 1]. */
  agreement: number | null;
  /** A place among the looks that outlines have; what most found has none. */
  look: number;
}

/** What most found first, where it was compared, then each person in the order in which they began. */
export function layersOf({ people, most, too_much }: MarkingList): Layer[] {
  const looked = people.filter((one) => one.person !== null).length;
  const together: Layer[] = looked > 0 && !too_much ? [{ key: 'most', take: { take: 'most' }, name: null, marks: most.map((one) => one.mark), agreement: null, look: -1 }] : [];
  return [...together, ...people.map(({ person, name, marks, agreement }, look): Layer => ({ key: `by ${person ?? ''}`, take: { take: 'one', person }, name, marks, agreement, look }))];
}

/** The key of the layer that was decided on. */
export function decidedKey({ decision }: MarkingList): string | null {
  if (!decision) return null;
  return decision.took === 'most' ? 'most' : `by ${decision.person ?? ''}`;
}

/** How outlines of different people are told apart without their colour, as in SVG; lengths are in pixels of the screen. */
const dashes = ['2 4', '9 4', '9 4 2 4', '16 5', '5 3', '16 5 2 5'];
const hues = [200, 30, 300, 90, 350, 60];

export function dashOf(look: number): string {
  return look < 0 ? '' : (dashes[look % dashes.length] ?? '');
}

export function colourOfLook(look: number): string {
  return look < 0 ? '#fff' : `hsl(${hues[look % hues.length]} 95% 70%)`;
}
