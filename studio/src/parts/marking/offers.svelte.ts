// What the server suggests to mark on one example. It is asked once somebody marks; nothing of it is kept until it is accepted.

import { examples } from '../../api/calls';
import type { Mark, SuggestedMark, SuggestedMarks } from '../../api/types';
import { stillOpen } from '../../domain/offers';
import type { Stretch } from '../../domain/spans';

export class Offers {
  /** What the server said; null before it did. */
  said = $state.raw<SuggestedMarks | null>(null);
  error = $state.raw<unknown>(null);
  asked = $state(false);
  hidden = $state(false);
  readonly #example: string;
  readonly #marks: () => readonly Mark[];
  readonly #words: () => readonly Stretch[];
  readonly #acceptedAs: (mark: Mark) => SuggestedMark | undefined;
  #refused = $state.raw<ReadonlySet<SuggestedMark>>(new Set());
  #asking: AbortController | null = null;

  constructor(example: string, marks: () => readonly Mark[], words: () => readonly Stretch[], acceptedAs: (mark: Mark) => SuggestedMark | undefined) {
    this.#example = example;
    this.#marks = marks;
    this.#words = words;
    this.#acceptedAs = acceptedAs;
  }

  /** Those that are neither marked nor refused, in the order in which they are offered. */
  readonly #open = $derived.by(() => {
    const marks = this.#marks();
    const answered = new Set([...this.#refused, ...marks.map((mark) => this.#acceptedAs(mark))]);
    return stillOpen(this.said?.marks ?? [], answered, marks, this.#words());
  });

  get open(): readonly SuggestedMark[] {
    return this.#open;
  }

  /** Those that are shown. */
  get shown(): readonly SuggestedMark[] {
    return this.hidden ? [] : this.#open;
  }

  /** The one that is answered next. */
  get next(): SuggestedMark | undefined {
    return this.shown[0];
  }

  refuse(offer: SuggestedMark): void {
    this.#refused = new Set([...this.#refused, offer]);
  }

  /** Asks once; what is returned stops asking, also where it was asked again since, as the server need not look at what nobody waits for. */
  ask(): () => void {
    if (!this.said && this.error === null) this.#ask();
    return () => this.#asking?.abort();
  }

  #ask(): void {
    this.asked = true;
    const asking = new AbortController();
    this.#asking = asking;
    const mine = (): boolean => this.#asking === asking && !asking.signal.aborted;
    void examples.suggestedMarks(this.#example, asking.signal).then(
      (said) => {
        if (mine()) this.said = said;
      },
      (error: unknown) => {
        if (mine()) this.error = error;
      },
    );
  }

  askAgain(): void {
    this.error = null;
    this.#ask();
  }
}
