// What a model says of a long sound, part by part.

import type { ToldStretch } from '../api/types';

/** A part of the strip below a sound, in shares of its length. */
export interface Bar {
  from: number;
  length: number;
  /** Place of its answer among those of the sound, by first use; -1 where the model does not stand behind one. */
  place: number;
}

export function isSaid({ verdict }: ToldStretch): boolean {
  return verdict === 'answered' || verdict === 'unproven';
}

/** One after the other, each with a colour of its answer. */
export function bars(stretches: readonly ToldStretch[]): Bar[] {
  const end = stretches.at(-1)?.seconds[1] ?? 0;
  if (end <= 0) return [];
  const answers = [...new Set(stretches.filter(isSaid).map(({ answer }) => answer))];
  return stretches.map((one) => {
    const [from, to] = one.seconds;
    return { from: from / end, length: (to - from) / end, place: isSaid(one) ? answers.indexOf(one.answer) : -1 };
  });
}

/** The stretch that is heard at a time; -1 for none. */
export function heardAt(stretches: readonly ToldStretch[], time: number): number {
  return stretches.findIndex(({ seconds: [from, to] }) => time >= from && time < to);
}
