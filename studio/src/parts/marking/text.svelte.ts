// Marking a text: what is selected, by mouse or by words, and the spans.

import type { Example, SuggestedMark } from '../../api/types';
import { Counted, stepWords, trimmed, wholeWords, wordsOf, type Span, type Stretch } from '../../domain/spans';
import { t } from '../../i18n';
import { MarkEditor } from './editor.svelte';

export class TextEditor extends MarkEditor {
  readonly counted: Counted;
  readonly #words: Stretch[];
  /** What is selected and not marked yet. */
  selection = $state.raw<Stretch | null>(null);

  constructor(example: Example, drawing: string | null, locale: string) {
    super(example, drawing);
    this.counted = new Counted(example.text ?? '');
    this.#words = wordsOf(this.counted, locale);
  }

  override get words(): Stretch[] {
    return this.#words;
  }

  override told(offer: SuggestedMark): string {
    return t('marks.offers.words', { name: super.told(offer), words: this.counted.slice(offer.mark as Span) });
  }

  get spans(): Span[] {
    return this.marks.filter((mark): mark is Span => mark.shape === 'span');
  }

  /** From the mouse, in UTF-16 units. */
  choose(from: number, to: number): void {
    const [start, end] = [this.counted.scalar(Math.min(from, to)), this.counted.scalar(Math.max(from, to))];
    this.selection = trimmed(this.counted, { start, end });
    this.selected = null;
    this.#say();
  }

  /** A press on a word selects it; with `more` the selection grows to it, as a finger cannot draw one. */
  chooseWord(at: number, more: boolean): void {
    const place = this.counted.scalar(at);
    const word = this.words.find((one) => one.start <= place && place <= one.end) ?? null;
    const { selection } = this;
    const pressedAgain = word !== null && selection !== null && selection.start <= word.start && word.end <= selection.end;
    if (more && pressedAgain) this.selection = null;
    else if (more && word && selection) this.selection = { start: Math.min(word.start, selection.start), end: Math.max(word.end, selection.end) };
    else this.selection = word;
    this.selected = null;
    this.#say();
  }

  /** By words: to the next one, or with its end only. A selected span moves its end instead. */
  step(by: 1 | -1, extend: boolean): void {
    const mark = this.chosen;
    if (mark?.shape === 'span' && this.selected !== null && extend) {
      const at = this.words.findLastIndex((word) => word.start < mark.end) + by;
      const end = this.words[at]?.end;
      if (end !== undefined && end > mark.start) this.replace(this.selected, { ...mark, end });
      return;
    }
    this.selection = stepWords(this.words, this.selection ?? (mark?.shape === 'span' ? mark : null), by, extend);
    this.selected = null;
    this.#say();
  }

  /** Half words are meant whole. */
  whole(): void {
    if (this.selection) this.selection = wholeWords(this.words, this.selection);
  }

  #say(): void {
    if (this.selection) this.announced = this.counted.slice(this.selection);
  }

  /** A class for what is selected makes a span of it. */
  override setClass(name: string | null): void {
    if (!this.selection) return super.setClass(name);
    this.drawing = name;
    this.mark();
  }

  /** Marks what is selected with the class in hand. */
  mark(): void {
    const { selection } = this;
    if (!selection) return;
    this.selection = null;
    const same = this.marks.findIndex((mark) => mark.shape === 'span' && mark.start === selection.start && mark.end === selection.end && mark.class === this.drawing);
    if (same >= 0) this.select(same);
    else this.add({ class: this.drawing, shape: 'span', ...selection });
  }

  override select(at: number | null): void {
    super.select(at);
    if (at !== null) this.selection = null;
    const mark = this.chosen;
    if (mark?.shape === 'span') this.announced = `${mark.class ?? ''} ${this.counted.slice(mark)}`;
  }

  override get leavable(): boolean {
    return super.leavable || this.selection !== null;
  }

  override escape(): void {
    if (this.selection) this.selection = null;
    else super.escape();
  }
}
