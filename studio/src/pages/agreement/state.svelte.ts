// What people dispute, which of it is looked at, and what was decided in this sitting.

import { agreement } from '../../api/calls';
import type { Agreement, Dispute, Task } from '../../api/types';
import { Resource } from '../../app/resource.svelte';
import { reason, toasts } from '../../app/toasts.svelte';
import { answerSaid } from '../../domain/agreement';
import { answerText, toggleClass, type Answer } from '../../domain/answers';
import { nextOpen } from '../../domain/worklist';
import { locale, t } from '../../i18n';
import type { DatasetStore } from '../dataset/store.svelte';

export interface Deciding extends Dispute {
  /** What was decided here; null while it is open. */
  decision: Answer | null;
}

export class AgreementState extends Resource<Agreement> {
  readonly store: DatasetStore;
  at = $state(0);
  picking = $state(false);
  /** Several labels that are ticked and not decided yet. */
  draft = $state.raw<string[] | null>(null);
  #decisions = $state.raw<ReadonlyMap<string, Answer>>(new Map());
  /** Ids of the examples decided here, the last one last. */
  #decided: string[] = [];
  disputes = $derived<Deciding[]>((this.data?.disputes ?? []).map((one) => ({ ...one, decision: this.#decisions.get(one.example.id) ?? null })));

  constructor(store: DatasetStore) {
    super(() => agreement.get(store.id));
    this.store = store;
    void this.begin();
  }

  async begin(): Promise<void> {
    await this.load();
    this.#decisions = new Map();
    this.#decided = [];
    this.#show(nextOpen(this.disputes, -1) ?? 0);
  }

  get current(): Deciding | undefined {
    return this.disputes[this.at];
  }

  get task(): Task {
    return this.store.data?.task ?? 'class';
  }

  go(by: number): void {
    this.#show(Math.max(0, Math.min(this.disputes.length - 1, this.at + by)));
  }

  /** The answer that these words of the server stand for. */
  answerOf(words: string): Answer | null {
    return answerSaid(words, this.task, this.store.classes);
  }

  told(answer: Answer): string {
    return answerText(answer, t('task.none'), locale()) ?? t('gallery.unlabelled');
  }

  /** As `told`, of words of the server. */
  wordsOf(words: string): string {
    const answer = this.answerOf(words);
    return answer ? this.told(answer) : words;
  }

  /** A class was chosen, by its key or its button. */
  choose(name: string): void {
    if (this.task === 'classes') this.draft = toggleClass(this.draft ?? this.#ticked(), name, this.store.classes);
    else void this.decide({ label: name });
  }

  /** Labels that are ticked: the draft, or what was decided. */
  get ticked(): readonly string[] {
    return this.draft ?? this.#ticked();
  }

  #ticked(): string[] {
    const decision = this.current?.decision;
    return decision && 'labels' in decision ? (decision.labels ?? []) : [];
  }

  get mayGiveDrafted(): boolean {
    return this.draft !== null;
  }

  giveDrafted(): void {
    if (this.draft) void this.decide({ labels: this.draft });
  }

  get mayGiveNone(): boolean {
    return this.task === 'classes' && this.current !== undefined;
  }

  giveNone(): void {
    void this.decide({ labels: [] });
  }

  get suggested(): Answer | null {
    return this.current ? this.answerOf(this.current.best) : null;
  }

  get maySuggest(): boolean {
    return this.suggested !== null && this.draft === null;
  }

  decideSuggested(): void {
    if (this.suggested) void this.decide(this.suggested);
  }

  /** Shows the next one at once; the decision travels behind and comes back when it is not taken. */
  async decide(answer: Answer): Promise<void> {
    const dispute = this.current;
    if (!dispute) return;
    const { id } = dispute.example;
    this.#put(id, answer);
    this.#decided = [...this.#decided.filter((one) => one !== id), id];
    this.#show(nextOpen(this.disputes, this.at) ?? this.at);
    try {
      await agreement.decide(this.store.id, id, answer);
      void this.store.load();
    } catch (error) {
      this.#put(id, dispute.decision);
      if (dispute.decision === null) this.#decided = this.#decided.filter((one) => one !== id);
      toasts.bad(t('agree.dispute.lost', { reason: reason(error) }));
    }
  }

  /** Goes back to the last decided dispute, to decide it again. */
  back(): void {
    const id = this.#decided.at(-1);
    if (id === undefined) {
      toasts.say(t('worklist.undo.nothing'));
      return;
    }
    this.#decided = this.#decided.slice(0, -1);
    this.#show(Math.max(0, this.disputes.findIndex((one) => one.example.id === id)));
  }

  async undo(): Promise<void> {
    this.back();
  }

  #show(at: number): void {
    this.at = at;
    this.draft = null;
  }

  #put(id: string, decision: Answer | null): void {
    const decisions = new Map(this.#decisions);
    if (decision === null) decisions.delete(id);
    else decisions.set(id, decision);
    this.#decisions = decisions;
  }
}
