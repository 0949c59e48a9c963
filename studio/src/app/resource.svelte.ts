// Something that is fetched: it is loading, it failed, or it is there.

export class Resource<T> {
  data = $state.raw<T | undefined>(undefined);
  error = $state.raw<unknown>(undefined);
  #fetch: () => Promise<T>;
  #round = 0;

  constructor(fetch: () => Promise<T>) {
    this.#fetch = fetch;
  }

  /** Keeps showing what is there until the new answer comes. */
  async load(): Promise<void> {
    const round = ++this.#round;
    try {
      const data = await this.#fetch();
      if (round !== this.#round) return;
      this.data = data;
      this.error = undefined;
    } catch (error) {
      if (round === this.#round) this.error = error;
    }
  }
}
