// What is shown now and what comes next, kept a little ahead of the person.

import { datasets, labels } from '../../api/calls';
import type { Example, Modality } from '../../api/types';
import { mergeQueue } from '../../domain/queue';
import type { DatasetStore } from '../dataset/store.svelte';
import { Ahead } from './ahead';

const QUEUE = 20;
const LOW = 8;
const PAGE = 200;
/** After this many labels the order of what is left may have changed. */
const FRESHEN_EVERY = 5;

export abstract class LabelQueue {
  readonly store: DatasetStore;
  queue = $state.raw<Example[]>([]);
  state = $state<'loading' | 'ready' | 'failed' | 'done'>('loading');
  error = $state.raw<unknown>(null);
  why = $state('');
  protected readonly done = new Set<string>();
  protected skipped = new Set<string>();
  /** Examples that the queue asked for, also where they are shown again. */
  protected readonly asked = new Set<string>();
  readonly #ahead = new Ahead();
  #sinceFresh = 0;
  #fetching: Promise<void> | null = null;

  constructor(store: DatasetStore) {
    this.store = store;
  }

  /** Another example is in front of the person. */
  protected abstract shown(): void;
  /** Resolves when the server knows everything that was given. */
  protected abstract arrived(): Promise<void>;

  get current(): Example | undefined {
    return this.queue[0];
  }

  get modality(): Modality | null {
    return this.store.data?.modality ?? null;
  }

  refill(): Promise<void> {
    this.#fetching ??= this.#fetch().finally(() => (this.#fetching = null));
    return this.#fetching;
  }

  async #fetch(): Promise<void> {
    try {
      const answer = await labels.queue(this.store.id, QUEUE);
      this.#sinceFresh = 0;
      this.why = answer.why;
      for (const { id } of answer.examples) this.asked.add(id);
      let passed = new Set([...this.done, ...this.skipped]);
      let fresh = answer.examples;
      if (this.queue.length === 0 && fresh.length > 0 && fresh.every((example) => passed.has(example.id))) {
        const further = await this.#further(passed);
        // Only skipped ones are left: then they come again.
        if (further.length === 0) [this.skipped, passed] = [new Set(), this.done];
        else fresh = further;
      }
      const first = this.queue.length === 0;
      this.queue = mergeQueue(this.queue, fresh, passed);
      this.state = this.queue.length > 0 ? 'ready' : 'done';
      if (first) this.shown();
      this.#ahead.fetch(this.queue, this.modality);
    } catch (error) {
      if (this.queue.length > 0) return;
      this.error = error;
      this.state = 'failed';
    }
  }

  /** Behind a queue full of what was only marked, and so has no label: the next in the order of the data. */
  async #further(passed: ReadonlySet<string>): Promise<Example[]> {
    for (let offset = 0; ; offset += PAGE) {
      const { examples, total } = await datasets.examples(this.store.id, { state: 'unlabelled' }, offset, PAGE);
      const found = examples.filter((example) => !passed.has(example.id));
      if (found.length > 0 || offset + PAGE >= total) return found.slice(0, QUEUE);
    }
  }

  protected next(): void {
    this.queue = this.queue.slice(1);
    this.shown();
    this.#sinceFresh += 1;
    this.#ahead.fetch(this.queue, this.modality);
    if (this.queue.length === 0) this.state = 'loading';
    if (this.queue.length < LOW || this.#sinceFresh >= FRESHEN_EVERY) void this.#freshen();
  }

  /** Asks for more once the server knows the labels that decide the order. */
  async #freshen(): Promise<void> {
    if (this.queue.length === 0) await this.arrived();
    await this.refill();
  }

  /** Puts an example in front, before what was shown. */
  protected putFirst(example: Example): void {
    this.done.delete(example.id);
    this.skipped.delete(example.id);
    this.queue = [example, ...this.queue.filter((one) => one.id !== example.id)];
    this.state = 'ready';
    this.shown();
  }

  protected change(id: string, change: (example: Example) => Example): void {
    this.queue = this.queue.map((example) => (example.id === id ? change(example) : example));
  }
}
