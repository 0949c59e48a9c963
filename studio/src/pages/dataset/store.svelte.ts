// The dataset that is open, shared by its pages. Counts move at once when a label is given; the server has the last word.

import { datasets } from '../../api/calls';
import type { Dataset, Task } from '../../api/types';
import { Resource } from '../../app/resource.svelte';
import { moveAnswer, type Counted } from '../../domain/counts';

const SOON_MS = 800;

export class DatasetStore extends Resource<Dataset> {
  readonly id: string;
  #waiting: ReturnType<typeof setTimeout> | undefined;

  constructor(id: string) {
    super(() => datasets.get(id));
    this.id = id;
    void this.load();
  }

  get classes(): string[] {
    return this.data?.classes.map((one) => one.name) ?? [];
  }

  /** An answer was changed; see `classesOf` for what is counted. */
  moved(from: Counted, to: Counted): void {
    // What holds of several people's answers only the server knows.
    if (this.data && this.data.annotators > 1) this.#soon();
    else if (this.data) this.data = moveAnswer(this.data, from, to);
  }

  /** Asks for the counts once, when a row of answers is over. */
  #soon(): void {
    clearTimeout(this.#waiting);
    this.#waiting = setTimeout(() => void this.load(), SOON_MS);
  }

  /** So many examples have marks now. */
  marked(n_marked: number): void {
    if (this.data) this.data = { ...this.data, n_marked };
  }

  /** A class that is about to be used, so that it has its key at once. */
  knows(name: string): void {
    if (this.data && !this.classes.includes(name)) this.data = { ...this.data, classes: [...this.data.classes, { name, count: 0 }] };
  }

  /** What an answer is; the server allows it as long as nothing has one. */
  async setTask(task: Task): Promise<void> {
    this.data = await datasets.change(this.id, { task });
  }

  /** How many people are asked about each example, and whether labellers see what others say. */
  async setAsking(given: { annotators?: number; blind?: boolean }): Promise<void> {
    this.data = await datasets.change(this.id, given);
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
