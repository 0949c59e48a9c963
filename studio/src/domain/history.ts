// What was there before each change, so that changes can be taken back and made again.

const LONGEST = 200;

export class History<T> {
  #past: T[] = [];
  #future: T[] = [];

  /** `before` is what a change is about to replace. */
  push(before: T): void {
    this.#past = [...this.#past.slice(1 - LONGEST), before];
    this.#future = [];
  }

  get canUndo(): boolean {
    return this.#past.length > 0;
  }

  get canRedo(): boolean {
    return this.#future.length > 0;
  }

  undo(now: T): T {
    const before = this.#past.pop();
    if (before === undefined) return now;
    this.#future.push(now);
    return before;
  }

  redo(now: T): T {
    const after = this.#future.pop();
    if (after === undefined) return now;
    this.#past.push(now);
    return after;
  }
}
