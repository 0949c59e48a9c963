// How the counts of a dataset change with one label.

import type { Dataset } from '../api/types';

export function moveLabel(dataset: Dataset, from: string | null, to: string | null): Dataset {
  if (from === to) return dataset;
  const classes = dataset.classes.map((one) => ({
    ...one,
    count: one.count + Number(one.name === to) - Number(one.name === from),
  }));
  if (to !== null && !classes.some((one) => one.name === to)) classes.push({ name: to, count: 1 });
  const n_labelled = dataset.n_labelled + Number(from === null) - Number(to === null);
  return { ...dataset, classes, n_labelled };
}
