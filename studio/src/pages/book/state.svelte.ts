// The label book of a dataset: what is agreed on, and how it is changed.

import { book } from '../../api/calls';
import type { BookRule, LabelBook } from '../../api/types';
import { Resource } from '../../app/resource.svelte';

export class BookState extends Resource<LabelBook> {
  readonly dataset: string;

  constructor(dataset: string) {
    super(() => book.get(dataset));
    this.dataset = dataset;
    void this.load();
  }

  rule(number: number | null): BookRule | undefined {
    return this.data?.rules.find((rule) => rule.number === number);
  }

  /** Throws when it is not taken, so that what was written stays in its field. */
  async write(name: string, text: string): Promise<void> {
    await book.setNote(this.dataset, name, text);
    await this.load();
  }

  /** Labels stay as they are. */
  async remove(number: number): Promise<void> {
    await book.removeRule(this.dataset, number);
    await this.load();
  }
}
