// What several people marked on one example, shown beside one another, and the decision which of it holds.

import { examples } from '../../api/calls';
import type { MarkingList } from '../../api/types';
import { toasts } from '../../app/toasts.svelte';
import { decidedKey, layersOf, type Layer } from '../../domain/markings';
import { t } from '../../i18n';

export class Others {
  said = $state.raw<MarkingList | null>(null);
  error = $state.raw<unknown>(null);
  on = $state(false);
  busy = $state(false);
  at = $state(0);
  /** Called when something was decided, or taken back. */
  decided: () => void = () => {};
  readonly #example: string;
  /** Whose marks are shown as marks. */
  readonly own: string | null;
  layers = $derived<readonly Layer[]>(this.said ? layersOf(this.said) : []);

  constructor(example: string, own: string | null) {
    this.#example = example;
    this.own = own;
  }

  /** Those that are drawn. */
  get shown(): readonly Layer[] {
    return this.on ? this.layers.filter(({ key }) => this.own === null || key !== `by ${this.own}`) : [];
  }

  get focused(): Layer | undefined {
    return this.on ? this.layers[this.at] : undefined;
  }

  /** The key of what was decided on. */
  get decidedOn(): string | null {
    return this.said && decidedKey(this.said);
  }

  /** Layers in words. */
  nameOf({ key, name }: Layer): string {
    if (key === 'most') return t('others.most');
    return key === 'by ' ? t('others.data') : (name ?? t('others.gone'));
  }

  async toggle(): Promise<void> {
    this.on = !this.on;
    if (this.on) await this.load();
  }

  async load(): Promise<void> {
    this.on = true;
    this.error = null;
    try {
      this.#tell(await examples.markings(this.#example));
    } catch (error) {
      this.error = error;
    }
  }

  step(by: 1 | -1): void {
    const n = this.layers.length;
    if (n > 0) this.at = (this.at + by + n) % n;
  }

  focus(key: string): void {
    this.at = Math.max(0, this.layers.findIndex((layer) => layer.key === key));
  }

  /** Decides on what is in focus; once more takes that back. */
  async take(): Promise<void> {
    const { focused, said } = this;
    if (!focused || !said || this.busy) return;
    const taking = focused.key === this.decidedOn ? { take: 'nobody' as const } : focused.take;
    this.busy = true;
    try {
      this.#tell(await examples.takeMarks(this.#example, { ...taking, seen: said.event }));
      this.decided();
    } catch (error) {
      toasts.failed(error);
      // Somebody marked meanwhile: what is to be decided is otherwise now.
      await this.load();
    }
    this.busy = false;
  }

  #tell(said: MarkingList): void {
    const { key } = this.layers[this.at] ?? { key: null };
    this.said = said;
    this.focus(key ?? this.decidedOn ?? 'most');
  }
}
