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
  /** How many lists have begun. */
  #list = 0;

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

  /** Many were changed elsewhere: the list begins anew, and is shown as it was until its first page is there. */
  afresh(): Promise<void> {
    return this.#fetch(0);
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
    if (this.#inFlight.get(page) === flight) this.#inFlight.delete(page);
  }

  async #fetch(page: number): Promise<void> {
    const { pageSize, fetch, changed } = this.#options;
    const list = this.#list;
    const [answer] = await Promise.allSettled([fetch(page * pageSize, pageSize)]);
    // Another list has begun meanwhile: whoever waits gets the page of that one.
    if (page > 0 && list !== this.#list) return this.#load(page);
    if (answer.status === 'fulfilled') {
      const wanted = page === 0 ? this.#begin() : [];
      this.total = answer.value.total;
      this.error = null;
      this.#pages.set(page, answer.value.items);
      this.#forget(page);
      for (const one of wanted) void this.#load(one);
    } else {
      this.#pages.delete(page);
      this.error = answer.reason;
    }
    changed();
  }

  /** The first page begins a list, and the pages that are here or on their way may belong to the one before. Those that were looked at last are wanted again. */
  #begin(): number[] {
    const others = [...this.#pages.keys()].filter((page) => page > 0);
    for (const page of others) this.#pages.delete(page);
    this.#list += 1;
    return others.slice(-SHOWN);
  }

  /** The first page stays: fetched once more it would begin another list. */
  #forget(keep: number): void {
    for (const [page, held] of this.#pages) {
      if (this.#pages.size <= this.#options.maxPages) return;
      if (held !== 'coming' && page !== keep && page > 0) this.#pages.delete(page);
    }
  }
}
