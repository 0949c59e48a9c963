// An answer that waits for the rest: a defect for its marks, several labels for more of them.

import type { Example } from '../../api/types';
import { toggleClass, type Answer } from '../../domain/answers';

export class Draft {
  answer = $state.raw<Answer | null>(null);

  /** The class of a defect that is being marked. */
  get label(): string | null {
    return this.answer && 'label' in this.answer ? this.answer.label : null;
  }

  /** Labels ticked so far, or those the example has. */
  labelsOf(example: Example | undefined): readonly string[] {
    return (this.answer && 'labels' in this.answer ? this.answer.labels : example?.labels) ?? [];
  }

  toggle(name: string, example: Example | undefined, classes: readonly string[]): void {
    this.answer = { labels: toggleClass(this.labelsOf(example), name, classes) };
  }

  clear(): void {
    this.answer = null;
  }
}
