// Which address a model is proposed, and whose the one is that was typed.

import type { Deployment } from '../api/types';
import { slug } from './format';

type Running = Pick<Deployment, 'name'> & { model: Pick<Deployment['model'], 'dataset'> };

/** The address with the name of the dataset that it has already, else the first such that nobody has: `parts`, `parts-2`, … */
export function proposedAddress(name: string, dataset: string, running: readonly Running[]): string {
  // A name in Chinese has no letters for an address.
  const stem = slug(name) || 'model';
  const every = Array.from({ length: running.length + 1 }, (_, i) => (i === 0 ? stem : `${stem}-${i + 1}`));
  const ours = every.find((address) => running.some((one) => one.name === address && !isForeign(one, dataset)));
  return ours ?? every.find((address) => running.every((one) => one.name !== address)) ?? stem;
}

/** Whether a model of another dataset answers there. */
export function isForeign(deployment: Running, dataset: string): boolean {
  return deployment.model.dataset !== dataset;
}
