// The dataset that is open, shared by its pages. Counts move at once when a label is given; the server has the last word.

import { datasets } from '../../api/calls';
import type { Dataset } from '../../api/types';
import { Resource } from '../../app/resource.svelte';
import { moveLabel } from '../../domain/counts';

export class DatasetStore extends Resource<Dataset> {
  readonly id: string;

  constructor(id: string) {
    super(() => datasets.get(id));
    this.id = id;
    void this.load();
  }

  get classes(): string[] {
    return this.data?.classes.map((one) => one.name) ?? [];
  }

  /** A label was changed from one class to another; null is no label. */
  moved(from: string | null, to: string | null): void {
    if (this.data) this.data = moveLabel(this.data, from, to);
  }

  async addClass(name: string): Promise<void> {
    this.data = await datasets.addClass(this.id, name);
  }

  async renameClass(name: string, to: string): Promise<void> {
    this.data = await datasets.renameClass(this.id, name, to);
  }

  async removeClass(name: string): Promise<void> {
    await datasets.removeClass(this.id, name);
    await this.load();
  }
}
