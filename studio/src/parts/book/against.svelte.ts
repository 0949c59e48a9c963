// What the label book has against labels that were given at once.

import type { BrokenByMany, LabelledMany } from '../../api/types';
import { joined } from '../../domain/book';

export class Against {
  rules = $state.raw<readonly BrokenByMany[]>([]);
  /** Labels of which no rule could tell. */
  unsure = $state(0);

  get speaks(): boolean {
    return this.rules.length > 0 || this.unsure > 0;
  }

  /** Other labels are given: what was said of the last ones is settled. */
  clear(): void {
    this.rules = [];
    this.unsure = 0;
  }

  hear({ broken, n_unsure }: Pick<LabelledMany, 'broken' | 'n_unsure'>): void {
    this.rules = joined(this.rules, broken);
    this.unsure += n_unsure;
  }

  drop(rule: BrokenByMany): void {
    this.rules = this.rules.filter((one) => one !== rule);
    if (this.rules.length === 0) this.unsure = 0;
  }

  /** Gives what a rule asks for; what other rules said of other labels stays, beside what is heard of the new ones. */
  async follow(rule: BrokenByMany, give: () => Promise<void>): Promise<void> {
    this.drop(rule);
    const others = this.rules;
    this.clear();
    await give();
    this.rules = joined(others, this.rules);
  }
}
