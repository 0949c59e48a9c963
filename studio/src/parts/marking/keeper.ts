// Brings marks to the server: after a pause, and when the person goes on. All of an example go in one letter, and a
// letter that still waits is replaced by the newer one.

import { examples } from '../../api/calls';
import { CallError } from '../../api/client';
import type { Example, Mark, MarksTaken } from '../../api/types';
import { eventOf } from '../../domain/markings';
import type { Letter, Outbox } from '../../domain/outbox';
import type { MarkEditor } from './editor.svelte';

const PAUSE_MS = 2500;

export interface Kept {
  example: Example;
  before: readonly Mark[];
  marks: readonly Mark[];
  letter: Letter<MarksTaken>;
}

/** Whether the server kept the marks of somebody else, who was quicker. */
export function isChanged(error: unknown): boolean {
  return error instanceof CallError && error.code === 'marks_changed';
}

export interface Told {
  /** The marks are on their way; what is shown should show them. */
  leaving: (kept: Kept) => void;
  sent: (kept: Kept, answer: MarksTaken) => void;
  lost: (kept: Kept, error: unknown) => void;
  /** A newer letter goes instead of this one. */
  replaced: (kept: Kept) => void;
}

export class MarkKeeper {
  readonly #outbox: Outbox;
  readonly #told: Told;
  #timer: ReturnType<typeof setTimeout> | undefined;
  #last: Kept | null = null;
  /** The events that made the marks as they are now, where they were sent from here. */
  readonly #events = new Map<string, number>();

  constructor(outbox: Outbox, told: Told) {
    this.#outbox = outbox;
    this.#told = told;
  }

  /** The person has changed something: saved when nothing follows for a moment. */
  soon(editor: MarkEditor): void {
    clearTimeout(this.#timer);
    this.#timer = setTimeout(() => this.keep(editor, null), PAUSE_MS);
  }

  keep(editor: MarkEditor, milliseconds: number | null): void {
    clearTimeout(this.#timer);
    if (!editor.dirty) return;
    const { example, marks } = editor;
    let before = editor.kept;
    const last = this.#last;
    if (last && last.example.id === example.id && this.#outbox.takeBack(last.letter)) {
      before = last.before;
      this.#told.replaced(last);
    }
    editor.kept = marks;
    const kept: Kept = {
      example, before, marks,
      letter: {
        // Asked when it leaves: a letter before it may have changed the marks.
        send: () => examples.mark(example.id, marks, this.#seen(example), milliseconds),
        sent: (answer) => {
          this.#events.set(example.id, answer.event);
          this.#told.sent(kept, answer);
        },
        lost: (error) => this.#told.lost(kept, error),
      },
    };
    this.#last = kept;
    this.#told.leaving(kept);
    this.#outbox.add(kept.letter);
  }

  #seen(example: Example): number {
    return Math.max(eventOf(example), this.#events.get(example.id) ?? eventOf(example));
  }

  stop(): void {
    clearTimeout(this.#timer);
  }
}
