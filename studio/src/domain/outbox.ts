// Labels and marks on their way to the server: one at a time and in order, so that undo means the last one; tried again while
// the connection is down; reported when the server says no.

import { retry, type RetryOptions } from './retry';

// Methods, not properties: what comes back for a letter is only ever given to that letter, whatever else is in the box.
export interface Letter<Answer = unknown> {
  send(): Promise<Answer>;
  sent(answer: Answer): void;
  lost(error: unknown): void;
}

export class Outbox {
  readonly #waiting: Letter[] = [];
  readonly #options: RetryOptions;
  readonly #changed: (n: number) => void;
  #running: Promise<void> | null = null;
  #current: Letter | null = null;

  constructor(options: RetryOptions, changed: (n: number) => void) {
    this.#options = options;
    this.#changed = changed;
  }

  get size(): number {
    return this.#waiting.length + (this.#current ? 1 : 0);
  }

  add(letter: Letter): void {
    this.#waiting.push(letter);
    this.#changed(this.size);
    this.#running ??= this.#run();
  }

  /** Takes a letter back that has not left yet. */
  takeBack(letter: Letter): boolean {
    const at = this.#waiting.indexOf(letter);
    if (at < 0) return false;
    this.#waiting.splice(at, 1);
    this.#changed(this.size);
    return true;
  }

  /** Resolves when everything has left or was lost. */
  async empty(): Promise<void> {
    await this.#running;
  }

  async #run(): Promise<void> {
    for (let letter = this.#waiting.shift(); letter; letter = this.#waiting.shift()) {
      this.#current = letter;
      try {
        const answer = await retry(() => letter.send(), this.#options);
        this.#current = null;
        letter.sent(answer);
      } catch (error) {
        this.#current = null;
        letter.lost(error);
      }
      this.#changed(this.size);
    }
    this.#running = null;
  }
}
