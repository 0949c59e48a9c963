// What is marked on one example while somebody works on it: the marks, which of them is selected, and the way back.

import type { Example, Mark } from '../../api/types';
import { History } from '../../domain/history';

export class MarkEditor {
  readonly example: Example;
  marks = $state.raw<readonly Mark[]>([]);
  selected = $state<number | null>(null);
  /** The class that the next mark gets. */
  drawing = $state<string | null>(null);
  announced = $state('');
  /** What the server has, or will have when everything has arrived. */
  kept = $state.raw<readonly Mark[]>([]);
  /** Called after each change that can be taken back. */
  changed: () => void = () => {};
  readonly #history = new History<readonly Mark[]>();
  #round = $state(0);

  constructor(example: Example, drawing: string | null) {
    this.example = example;
    this.marks = example.marks;
    this.kept = example.marks;
    this.drawing = drawing;
  }

  get dirty(): boolean {
    return this.marks !== this.kept;
  }

  get chosen(): Mark | undefined {
    return this.selected === null ? undefined : this.marks[this.selected];
  }

  /** One change: from now on these are the marks. `before` is what to go back to, if not what is shown. */
  commit(marks: readonly Mark[], selected: number | null, before: readonly Mark[] = this.marks): void {
    this.#history.push(before);
    this.marks = marks;
    this.#settle(selected);
  }

  /** Marks that the server refused, to be mended: sent again with the next change, not by themselves. */
  bringBack(marks: readonly Mark[]): void {
    this.#history.push(this.marks);
    this.marks = marks;
    this.selected = null;
    this.#round += 1;
  }

  /** Marks of one's own beside those of somebody else, which are shown: one step forward brings them back. */
  setAside(marks: readonly Mark[]): void {
    this.bringBack(marks);
    this.undo();
  }

  add(mark: Mark): void {
    this.commit([...this.marks, mark], this.marks.length);
  }

  replace(at: number, mark: Mark, before: readonly Mark[] = this.marks): void {
    this.commit(this.marks.map((one, i) => (i === at ? mark : one)), at, before);
  }

  /** Takes the selected mark away. */
  remove(): void {
    const at = this.selected;
    if (at !== null) this.commit(this.marks.filter((_, i) => i !== at), null);
  }

  /** The class of the selected mark, and of those to come. */
  setClass(name: string | null): void {
    this.drawing = name;
    const { chosen, selected } = this;
    if (chosen && selected !== null && chosen.class !== name) this.replace(selected, { ...chosen, class: name });
  }

  select(at: number | null): void {
    this.selected = at;
    const name = this.chosen?.class;
    if (name) this.drawing = name;
  }

  /** Whether there is another mark that way; past the last one the keyboard goes on to the page. */
  hasNext(by: 1 | -1): boolean {
    const to = this.selected === null ? (by > 0 ? 0 : this.marks.length - 1) : this.selected + by;
    return to >= 0 && to < this.marks.length;
  }

  next(by: 1 | -1): void {
    if (this.hasNext(by)) this.select(this.selected === null ? (by > 0 ? 0 : this.marks.length - 1) : this.selected + by);
  }

  get canUndo(): boolean {
    void this.#round;
    return this.#history.canUndo;
  }

  get canRedo(): boolean {
    void this.#round;
    return this.#history.canRedo;
  }

  undo(): void {
    this.marks = this.#history.undo(this.marks);
    this.#settle(null);
  }

  redo(): void {
    this.marks = this.#history.redo(this.marks);
    this.#settle(null);
  }

  /** Whether there is something that Escape leaves. */
  get leavable(): boolean {
    return this.selected !== null;
  }

  escape(): void {
    this.select(null);
  }

  /** What was begun and not finished is finished, as far as it can be. */
  finish(): void {}

  #settle(selected: number | null): void {
    this.selected = selected;
    this.#round += 1;
    this.changed();
  }
}
