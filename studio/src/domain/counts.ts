// How the counts of a dataset change with one answer.

import type { Dataset } from '../api/types';

/** The classes an answer counts for; null without an answer. See `classesOf`. */
export type Counted = readonly string[] | null;

export function moveLabel(dataset: Dataset, from: string | null, to: string | null): Dataset {
  return moveAnswer(dataset, from === null ? null : [from], to === null ? null : [to]);
}

export function moveAnswer(dataset: Dataset, from: Counted, to: Counted): Dataset {
  const before = from ?? [];
  const after = to ?? [];
  const classes = dataset.classes.map((one) => ({
    ...one,
    count: one.count + Number(after.includes(one.name)) - Number(before.includes(one.name)),
  }));
  for (const name of after) if (!classes.some((one) => one.name === name)) classes.push({ name, count: 1 });
  const n_labelled = dataset.n_labelled + Number(from === null && to !== null) - Number(from !== null && to === null);
  return { ...dataset, classes, n_labelled };
}
