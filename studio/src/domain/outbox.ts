// Labels on their way to the server: one at a time and in order, so that undo means the last one; tried again while
// the connection is down; reported when the server says no.

import { retry, type RetryOptions } from './retry';

export interface Letter<Answer> {
  send: () => Promise<Answer>;
  sent: (answer: Answer) => void;
  lost: (error: unknown) => void;
}

export class Outbox<Answer> {
  readonly #waiting: Letter<Answer>[] = [];
  readonly #options: RetryOptions;
  readonly #changed: (n: number) => void;
  #running: Promise<void> | null = null;
  #current: Letter<Answer> | null = null;

  constructor(options: RetryOptions, changed: (n: number) => void) {
    this.#options = options;
    this.#changed = changed;
  }

  get size(): number {
    return this.#waiting.length + (this.#current ? 1 : 0);
  }

  add(letter: Letter<Answer>): void {
    this.#waiting.push(letter);
    this.#changed(this.size);
    this.#running ??= this.#run();
  }

  /** Takes a letter back that has not left yet. */
  takeBack(letter: Letter<Answer>): boolean {
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
        const answer = await retry(letter.send, this.#options);
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
