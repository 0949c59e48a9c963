// The accuracy beside the labelling: asked for a moment after labels arrive, and while it is being worked out.

import { labels } from '../../api/calls';
import type { Live } from '../../api/types';

const SETTLE_MS = 250;
const LOOKING_MS = 1200;

export class LiveAccuracy {
  live = $state.raw<Live | null>(null);
  error = $state.raw<unknown>(null);
  readonly #dataset: string;
  #timer: ReturnType<typeof setTimeout> | undefined;
  #stopped = false;

  constructor(dataset: string) {
    this.#dataset = dataset;
    void this.#ask();
  }

  /** A label has arrived at the server. */
  touch(): void {
    this.#again(SETTLE_MS);
  }

  stop(): void {
    this.#stopped = true;
    clearTimeout(this.#timer);
  }

  #again(ms: number): void {
    clearTimeout(this.#timer);
    if (!this.#stopped) this.#timer = setTimeout(() => void this.#ask(), ms);
  }

  async #ask(): Promise<void> {
    try {
      this.live = await labels.live(this.#dataset);
      this.error = null;
      if (this.live.state === 'looking') this.#again(LOOKING_MS);
    } catch (error) {
      this.error = error;
      this.#again(LOOKING_MS * 4);
    }
  }
}
