// Work that takes a while, as the page sees it: begun here, or found running when the page opened.

import { jobs } from '../api/calls';
import { ended, follow } from '../api/jobs';
import type { Job } from '../api/types';

export class JobWatch {
  job = $state.raw<Job | null>(null);
  readonly #kind: Job['kind'];
  readonly #done: (job: Job) => void;
  readonly #abort = new AbortController();

  constructor(kind: Job['kind'], done: (job: Job) => void) {
    this.#kind = kind;
    this.#done = done;
  }

  get running(): boolean {
    return this.job !== null && !ended(this.job);
  }

  /** Starts the work and watches it; throws what the server says when it does not start. */
  async start(begin: () => Promise<Job>): Promise<void> {
    const job = await begin();
    void this.#watch(job);
  }

  /** Watches what somebody has started already. */
  async resume(dataset: string): Promise<void> {
    const all = await jobs.list(dataset).catch(() => []);
    const running = all.find((job) => job.kind === this.#kind && !ended(job));
    if (running && !this.running) void this.#watch(running);
  }

  async cancel(): Promise<void> {
    if (this.job) this.job = await jobs.cancel(this.job.id);
  }

  stop(): void {
    this.#abort.abort();
  }

  async #watch(job: Job): Promise<void> {
    this.job = job;
    try {
      this.#done(await follow(job.id, (news) => (this.job = news), this.#abort.signal));
    } catch (error) {
      if (this.#abort.signal.aborted) return;
      // The work goes on; only the watching was cut off. What it made shows on the next look.
      this.job = null;
    }
  }
}
