// A long list held in pages: fetched when first looked at, kept while there is room, changed in place.

export interface PageAnswer<T> {
  total: number;
  items: T[];
}

export interface PagedOptions<T> {
  pageSize: number;
  maxPages: number;
  fetch: (offset: number, limit: number) => Promise<PageAnswer<T>>;
  /** Something that can be seen has changed. */
  changed: () => void;
}

/** Pages that a screen may show at once. */
const SHOWN = 3;

export class Paged<T> {
  total: number | null = null;
  error: unknown = null;
  readonly #options: PagedOptions<T>;
  // The map is in order of last use: the first page is the one to forget.
  readonly #pages = new Map<number, T[] | 'coming'>();

  constructor(options: PagedOptions<T>) {
    this.#options = options;
  }

  peek(index: number): T | undefined {
    const page = this.#pages.get(Math.floor(index / this.#options.pageSize));
    return page === undefined || page === 'coming' ? undefined : page[index % this.#options.pageSize];
  }

  /** Makes sure that these examples are on their way. */
  want(first: number, end: number): void {
    const { pageSize } = this.#options;
    for (let page = Math.floor(first / pageSize); page * pageSize < Math.max(end, first + 1); page += 1) void this.#load(page);
  }

  /** The example at this position, fetched when it has to be. */
  async at(index: number): Promise<T | undefined> {
    await this.#load(Math.floor(index / this.#options.pageSize));
    return this.peek(index);
  }

  /** Replaces every held example for which `change` gives another one. */
  replace(change: (item: T) => T): void {
    for (const page of this.#pages.values()) {
      if (page !== 'coming') page.forEach((item, i) => (page[i] = change(item)));
    }
    this.#options.changed();
  }

  /** Many were changed elsewhere: what was looked at last is fetched once more and shown until then as it was, the rest is forgotten. */
  async afresh(): Promise<void> {
    const held = [...this.#pages].filter(([, items]) => items !== 'coming').map(([page]) => page);
    const last = held.slice(-SHOWN);
    for (const page of held) if (!last.includes(page)) this.#pages.delete(page);
    await Promise.all(last.map((page) => this.#fetch(page)));
  }

  readonly #inFlight = new Map<number, Promise<void>>();

  async #load(page: number): Promise<void> {
    const held = this.#pages.get(page);
    if (held === 'coming') return this.#inFlight.get(page);
    if (held) {
      this.#pages.delete(page);
      this.#pages.set(page, held);
      return;
    }
    const { pageSize } = this.#options;
    if (this.total !== null && page * pageSize >= this.total && page > 0) return;
    this.#pages.set(page, 'coming');
    const flight = this.#fetch(page);
    this.#inFlight.set(page, flight);
    await flight;
    this.#inFlight.delete(page);
  }

  async #fetch(page: number): Promise<void> {
    const { pageSize, fetch, changed } = this.#options;
    try {
      const answer = await fetch(page * pageSize, pageSize);
      this.total = answer.total;
      this.error = null;
      this.#pages.set(page, answer.items);
      this.#forget(page);
    } catch (error) {
      this.#pages.delete(page);
      this.error = error;
    }
    changed();
  }

  #forget(keep: number): void {
    for (const [page, held] of this.#pages) {
      if (this.#pages.size <= this.#options.maxPages) return;
      if (held !== 'coming' && page !== keep) this.#pages.delete(page);
    }
  }
}
