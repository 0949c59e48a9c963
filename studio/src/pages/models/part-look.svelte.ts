// How one part looks to an inspector, and looked to those that it was measured by. What is written down comes at once; looking takes a while,
// and neither waits for the other.

import { models } from '../../api/calls';
import type { Inspected, MeasuredView, SeenExample } from '../../api/types';

/** What was asked for: on its way, there, or failed with a way to ask again. */
export type Asked<T> = { state: 'asked' } | { state: 'there'; value: T } | { state: 'failed'; error: unknown; again: () => void };

/** What a heat map needs. */
export type Shown = Pick<Inspected, 'width' | 'height' | 'overlay'> & { regions: readonly Pick<Inspected['regions'][number], 'points'>[] };

export class PartLook {
  seen = $state.raw<Asked<SeenExample>>({ state: 'asked' });
  measured = $state.raw<Asked<MeasuredView | null>>({ state: 'asked' });
  #asking = new AbortController();

  /** Whether there is, or may yet be, how it looked before. */
  get hasMeasured(): boolean {
    return this.measured.state !== 'there' || this.measured.value !== null;
  }

  /** As this model sees it. */
  get now(): Shown | null {
    return this.seen.state === 'there' ? this.seen.value.inspected : null;
  }

  /** As those saw it that had not learned it. Models of before say of which size it was only once they have looked. */
  get before(): Shown | null {
    const view = this.measured.state === 'there' ? this.measured.value : null;
    const size = view?.size ?? (this.now ? [this.now.width, this.now.height] : null);
    if (!view || !size) return null;
    const [width = 1, height = 1] = size;
    return { width, height, overlay: view.overlay, regions: view.outlines.map((points) => ({ points })) };
  }

  ask(model: string, example: string): void {
    this.end();
    this.#asking = new AbortController();
    const { signal } = this.#asking;
    const look = (): void => {
      this.seen = { state: 'asked' };
      void told(models.inspected(model, example, signal), look).then((answer) => {
        if (!signal.aborted) this.seen = answer;
      });
    };
    const recall = (): void => {
      this.measured = { state: 'asked' };
      void told(models.measured(model, example, signal), recall).then((answer) => {
        if (!signal.aborted) this.measured = answer;
      });
    };
    recall();
    look();
  }

  /** What nobody waits for any more the server need not look at. */
  end(): void {
    this.#asking.abort();
  }
}

function told<T>(promise: Promise<T>, again: () => void): Promise<Asked<T>> {
  return promise.then(
    (value) => ({ state: 'there', value }) as const,
    (error: unknown) => ({ state: 'failed', error, again }) as const,
  );
}
