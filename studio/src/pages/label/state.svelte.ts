// Labelling one example after the other. A key shows the next example at once; the label travels behind, and comes
// back with a message when the server does not take it.

import { examples, labels } from '../../api/calls';
import { CallError } from '../../api/client';
import type { Example, Labelled, Modality } from '../../api/types';
import { reason, toasts } from '../../app/toasts.svelte';
import { Outbox, type Letter } from '../../domain/outbox';
import { lookedFor, mergeQueue, typicalSeconds } from '../../domain/queue';
import { sleep } from '../../domain/retry';
import { t } from '../../i18n';
import type { DatasetStore } from '../dataset/store.svelte';
import { LiveAccuracy } from './live.svelte';

const QUEUE = 20;
const LOW = 8;
/** After this many labels the order of what is left may have changed. */
const FRESHEN_EVERY = 5;
const PREFETCH = 4;
const RETRY = {
  attempts: 9,
  firstDelayMs: 300,
  maxDelayMs: 8000,
  wait: sleep,
  passing: (error: unknown) => error instanceof CallError && error.passing,
};

export interface Given {
  example: Example;
  label: string;
  letter: Letter<Labelled>;
}

export class LabelState {
  readonly store: DatasetStore;
  readonly accuracy: LiveAccuracy;
  queue = $state.raw<Example[]>([]);
  state = $state<'loading' | 'ready' | 'failed' | 'done'>('loading');
  error = $state.raw<unknown>(null);
  why = $state('');
  waiting = $state(0);
  warning = $state.raw<{ given: Given; text: string } | null>(null);
  picking = $state(false);
  announced = $state('');
  speed = $state<number | null>(null);
  history = $state.raw<Given[]>([]);
  readonly #outbox = new Outbox<Labelled>(RETRY, (n) => (this.waiting = n));
  readonly #done = new Set<string>();
  readonly #skipped = new Set<string>();
  #times: number[] = [];
  #shownAt = performance.now();
  #wasHidden = false;
  #sinceFresh = 0;
  #fetching: Promise<void> | null = null;
  /** Pictures on their way; kept so that the browser does not drop them. */
  #pictures: HTMLImageElement[] = [];

  constructor(store: DatasetStore) {
    this.store = store;
    this.accuracy = new LiveAccuracy(store.id);
    void this.refill();
  }

  get current(): Example | undefined {
    return this.queue[0];
  }

  get modality(): Modality | null {
    return this.store.data?.modality ?? null;
  }

  /** The page was out of sight, so the time for this example says nothing. */
  hidden(): void {
    this.#wasHidden = true;
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
      let passed = new Set([...this.#done, ...this.#skipped]);
      // Only skipped ones are left: then they come again.
      if (this.queue.length === 0 && answer.examples.every((example) => passed.has(example.id))) {
        this.#skipped.clear();
        passed = this.#done;
      }
      const first = this.queue.length === 0;
      this.queue = mergeQueue(this.queue, answer.examples, passed);
      this.state = this.queue.length > 0 ? 'ready' : 'done';
      if (first) this.#shown();
      this.#prefetch();
    } catch (error) {
      if (this.queue.length > 0) return;
      this.error = error;
      this.state = 'failed';
    }
  }

  give(label: string): void {
    const example = this.current;
    if (!example) return;
    const milliseconds = lookedFor(this.#shownAt, performance.now(), this.#wasHidden);
    if (milliseconds !== null) this.#timed(milliseconds);
    const given: Given = {
      example,
      label,
      letter: {
        send: () => labels.set(this.store.id, example.id, label, milliseconds),
        sent: (answer) => this.#sent(given, answer),
        lost: (error) => this.#lost(given, error),
      },
    };
    this.history = [...this.history, given];
    this.#done.add(example.id);
    this.store.moved(example.label, label);
    this.announced = t('label.saved', { name: example.name, label });
    this.#next();
    this.#outbox.add(given.letter);
  }

  skip(): void {
    if (!this.current) return;
    this.#skipped.add(this.current.id);
    this.#next();
  }

  #next(): void {
    this.queue = this.queue.slice(1);
    this.#shown();
    this.#sinceFresh += 1;
    this.#prefetch();
    if (this.queue.length === 0) this.state = 'loading';
    if (this.queue.length < LOW || this.#sinceFresh >= FRESHEN_EVERY) void this.#freshen();
  }

  /** Asks for more once the server knows the labels that decide the order. */
  async #freshen(): Promise<void> {
    if (this.queue.length === 0) await this.#outbox.empty();
    await this.refill();
  }

  #shown(): void {
    this.#shownAt = performance.now();
    this.#wasHidden = document.hidden;
  }

  #timed(milliseconds: number): void {
    this.#times = [...this.#times.slice(-19), milliseconds];
    this.speed = typicalSeconds(this.#times);
  }

  #prefetch(): void {
    if (this.modality !== 'image' && this.modality !== 'sound') return;
    const address = this.modality === 'image' ? examples.contentUrl : examples.thumbnailUrl;
    const wanted = this.queue.slice(0, PREFETCH).map((example) => new URL(address(example.id), location.href).href);
    this.#pictures = wanted.map((src) => {
      const held = this.#pictures.find((picture) => picture.src === src);
      if (held) return held;
      const picture = new Image();
      picture.src = src;
      // Decoded ahead as well: a large photo takes longer to decode than to arrive.
      picture.decode().catch(() => {});
      return picture;
    });
  }

  #sent(given: Given, answer: Labelled): void {
    this.accuracy.touch();
    if (answer.warning) this.warning = { given, text: answer.warning };
  }

  #lost(given: Given, error: unknown): void {
    this.#takeBack(given);
    toasts.bad(t('label.lost', { label: given.label, name: given.example.name, reason: reason(error) }));
  }

  /** As if the label had not been given; the example is shown again. */
  #takeBack(given: Given): void {
    this.history = this.history.filter((one) => one !== given);
    this.store.moved(given.label, given.example.label);
    this.show(given.example);
  }

  show(example: Example): void {
    this.#done.delete(example.id);
    this.#skipped.delete(example.id);
    this.queue = [example, ...this.queue.filter((one) => one.id !== example.id)];
    this.state = 'ready';
    this.warning = null;
    this.#shown();
  }

  async undo(): Promise<void> {
    const last = this.history.at(-1);
    if (last && this.#outbox.takeBack(last.letter)) {
      this.#takeBack(last);
      this.announced = t('label.undone', { label: last.label });
      return;
    }
    await this.#outbox.empty();
    try {
      const { example, undone } = await labels.undo(this.store.id);
      this.history = this.history.slice(0, -1);
      this.store.moved(undone, example.label);
      this.show(example);
      this.announced = t('label.undone', { label: undone ?? '' });
      this.accuracy.touch();
    } catch (error) {
      if (error instanceof CallError && error.status === 404) toasts.say(t('label.undo.nothing'));
      else toasts.failed(error);
    }
  }

  /** Shows the example of the warning again, with its label as it is now. */
  reconsider(): void {
    if (!this.warning) return;
    const { example, label } = this.warning.given;
    this.show({ ...example, label });
  }

  stop(): void {
    this.accuracy.stop();
  }
}
