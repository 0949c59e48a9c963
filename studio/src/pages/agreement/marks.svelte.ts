// Examples on which people marked different things, which of them is looked at, and what was decided in this sitting.

import { agreement } from '../../api/calls';
import type { MarksAgreement, MarksDispute } from '../../api/types';
import { Resource } from '../../app/resource.svelte';
import { nextOpen } from '../../domain/worklist';
import { editorOf } from '../../parts/marking/marking.svelte';
import type { MarkEditor } from '../../parts/marking/editor.svelte';
import { Others } from '../../parts/marking/others.svelte';
import type { DatasetStore } from '../dataset/store.svelte';

export interface Deciding extends MarksDispute {
  /** Whether it was decided here; null while it is open. */
  decision: true | null;
}

export class MarksState extends Resource<MarksAgreement> {
  readonly store: DatasetStore;
  at = $state(0);
  /** The example with what everybody marked on it; nothing is changed here. */
  editor = $state.raw<MarkEditor | null>(null);
  #decided = $state.raw<readonly string[]>([]);
  disputes = $derived<Deciding[]>((this.data?.disputes ?? []).map((one) => ({ ...one, decision: this.#decided.includes(one.example.id) || null })));

  constructor(store: DatasetStore) {
    super(() => agreement.marks(store.id));
    this.store = store;
    void this.begin();
  }

  async begin(): Promise<void> {
    await this.load();
    this.#decided = [];
    this.#show(0);
  }

  get current(): Deciding | undefined {
    return this.disputes[this.at];
  }

  get others(): Others | null {
    return this.editor?.others ?? null;
  }

  go(by: number): void {
    this.#show(Math.max(0, Math.min(this.disputes.length - 1, this.at + by)));
  }

  get mayTakeMost(): boolean {
    return !!this.others?.layers.some(({ key }) => key === 'most') && !this.others.busy;
  }

  async takeMost(): Promise<void> {
    const { others } = this;
    others?.focus('most');
    if (others && others.decidedOn !== 'most') await others.take();
    else this.#goOn();
  }

  /** Back to what was decided last, to decide it again. */
  back(): void {
    const id = this.#decided.at(-1);
    const at = this.disputes.findIndex((one) => one.example.id === id);
    if (at >= 0) this.#show(at);
  }

  #show(at: number): void {
    this.at = at;
    const { current } = this;
    // Everybody's marks stand beside one another, also those of who decides.
    const bare = current && { ...current.example, own_marks: { marks: [], event: 0 } };
    const editor = bare ? editorOf(bare, this.store.data?.modality ?? null, null, 'select') : null;
    this.editor = editor;
    if (!editor || !current) return;
    const others = new Others(current.example.id, null);
    others.decided = () => this.#settled(current.example.id, others.decidedOn !== null);
    editor.others = others;
    void others.load();
  }

  #settled(id: string, decided: boolean): void {
    this.#decided = [...this.#decided.filter((one) => one !== id), ...(decided ? [id] : [])];
    if (decided) this.#goOn();
  }

  #goOn(): void {
    const next = nextOpen(this.disputes, this.at);
    if (next !== null) this.#show(next);
  }
}
