// What is marked on one example while somebody works on it: the marks, which of them is selected, and the way back.

import type { Example, Mark, SuggestedMark } from '../../api/types';
import { History } from '../../domain/history';
import { hasGiven, marksOf } from '../../domain/markings';
import type { Stretch } from '../../domain/spans';
import { t } from '../../i18n';
import { Offers } from './offers.svelte';
import type { Others } from './others.svelte';

export class MarkEditor {
  readonly example: Example;
  marks = $state.raw<readonly Mark[]>([]);
  selected = $state<number | null>(null);
  /** The class that the next mark gets. */
  drawing = $state<string | null>(null);
  /** The class that was given on this example, while `drawing` may come from the one before. */
  #given = $state<string | null>(null);
  announced = $state('');
  /** What the server has, or will have when everything has arrived. */
  kept = $state.raw<readonly Mark[]>([]);
  /** Called after each change that can be taken back. */
  changed: () => void = () => {};
  readonly offers: Offers;
  /** What others marked, where several people mark and who is here may see it. */
  others = $state.raw<Others | null>(null);
  /** What was accepted, by the mark that it is now. */
  readonly #accepted = new WeakMap<Mark, SuggestedMark>();
  readonly #history = new History<readonly Mark[]>();
  #round = $state(0);

  constructor(example: Example, drawing: string | null) {
    this.example = example;
    this.marks = marksOf(example);
    this.kept = this.marks;
    this.drawing = drawing;
    this.offers = new Offers(example.id, () => this.marks, () => this.words, (mark) => this.#accepted.get(mark));
  }

  /** Where words begin and end, where it is a text. */
  get words(): readonly Stretch[] {
    return [];
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

  /** These are all there are: where several people mark, who found nothing has looked as well. */
  confirm(): void {
    if (this.example.own_marks && !hasGiven(this.example) && this.marks.length === 0) this.marks = [];
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
    this.become(mark, before[at]);
    this.commit(this.marks.map((one, i) => (i === at ? mark : one)), at, before);
  }

  // What is suggested.

  /** As a suggestion would be kept. */
  offered(offer: SuggestedMark): Mark {
    return { ...offer.mark, class: this.classOf(offer) };
  }

  /** The class that it would be kept with: the one that was given on this example, of which the server has not heard, but of a string the one that it was marked with, and of a stretch of sound the one that the model hears; the class in hand where there is none. */
  classOf({ mark }: SuggestedMark): string | null {
    const given = mark.suggested_by === 'marks' || mark.shape === 'segment' ? null : this.#given;
    return given ?? mark.class ?? this.drawing;
  }

  /** A suggestion in words: its class, and where it is. */
  told(offer: SuggestedMark): string {
    return this.classOf(offer) ?? t('marks.no.class');
  }

  #taken(offers: readonly SuggestedMark[]): Mark[] {
    return offers.map((offer) => {
      const mark = this.offered(offer);
      this.#accepted.set(mark, offer);
      return mark;
    });
  }

  acceptOffer(): void {
    const { next } = this.offers;
    if (!next) return;
    const what = this.told(next);
    this.commit([...this.marks, ...this.#taken([next])], this.marks.length);
    this.announced = t('marks.offers.accepted.one', { what, left: this.offers.open.length });
  }

  /** All that are shown, as one change. */
  acceptOffers(): void {
    const { shown } = this.offers;
    if (shown.length === 0) return;
    this.commit([...this.marks, ...this.#taken(shown)], null);
    this.announced = t('marks.offers.accepted', { n: shown.length, left: this.offers.open.length });
  }

  refuseOffer(): void {
    const { next } = this.offers;
    if (!next) return;
    this.offers.refuse(next);
    this.announced = t('marks.offers.refused', { what: this.told(next), left: this.offers.open.length });
  }

  toggleOffers(): void {
    this.offers.hidden = !this.offers.hidden;
  }

  /** A mark is another from now on, and came from where it came from. */
  protected become(mark: Mark, before: Mark | undefined): void {
    const offer = before && this.#accepted.get(before);
    if (offer) this.#accepted.set(mark, offer);
  }

  /** Takes the selected mark away. */
  remove(): void {
    const at = this.selected;
    if (at !== null) this.commit(this.marks.filter((_, i) => i !== at), null);
  }

  /** The class of the selected mark, and of those to come. */
  setClass(name: string | null): void {
    this.drawing = name;
    this.#given = name;
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
