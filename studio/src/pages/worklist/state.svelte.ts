// The findings, which of them is looked at, and what was decided in this sitting.

import { worklist } from '../../api/calls';
import { CallError } from '../../api/client';
import type { Decision, Finding, RuleChoice, Task, Worklist } from '../../api/types';
import { JobWatch } from '../../app/job.svelte';
import { Resource } from '../../app/resource.svelte';
import { reason, toasts } from '../../app/toasts.svelte';
import { answerText, toggleClass, type Answer } from '../../domain/answers';
import { wrong } from '../../domain/format';
import { counted, kindOf, nextOpen, outcome, recounted } from '../../domain/worklist';
import { locale, t } from '../../i18n';
import { BookState } from '../book/state.svelte';
import type { DatasetStore } from '../dataset/store.svelte';

/** Findings that are fetched at once. */
const PAGE = 100;
/** With fewer than this ahead of the one that is shown, more are fetched. */
const LOW = 20;

export class WorklistState extends Resource<Worklist> {
  readonly store: DatasetStore;
  readonly audit: JobWatch;
  /** Rules that findings are about. */
  readonly book: BookState;
  /** What is shown of all kinds; empty for all. */
  kind = $state('');
  at = $state(0);
  /** What a class is looked for: the label of one example, or the name of a class of its own. */
  picking = $state<'label' | 'class' | null>(null);
  /** Several labels that are ticked and not decided yet. */
  draft = $state.raw<string[] | null>(null);
  /** Numbers of the findings decided here, the last one last. */
  decided = $state.raw<number[]>([]);
  /** How many decisions the server took. */
  taken = $state(0);
  #renewing: Promise<void> | null = null;
  #coming: Promise<boolean> | null = null;

  constructor(store: DatasetStore) {
    super(() => worklist.get(store.id, this.#kind, 0, PAGE));
    this.store = store;
    this.book = new BookState(store.id);
    this.audit = new JobWatch('audit', (job) => {
      if (job.state === 'failed') toasts.bad(job.error ? wrong(job.error) : t('common.failed'));
      void this.begin();
    });
    void this.begin();
    void this.audit.resume(store.id);
  }

  async begin(): Promise<void> {
    await this.load();
    this.decided = [];
    // After another audit there may be none of that kind any more.
    if (this.kind !== '' && this.data && this.#kind === null) await this.#ask('');
    await this.#toNext(-1);
  }

  /** Those of the kind that is shown, as far as they were fetched. */
  get shown(): Finding[] {
    return this.data?.findings ?? [];
  }

  get counts(): { total: number; left: number } {
    return counted(this.data?.kinds ?? [], this.kind);
  }

  get #kind(): { fault: string; sense: string | null } | null {
    return this.data?.kinds.find((one) => kindOf(one) === this.kind) ?? null;
  }

  get current(): Finding | undefined {
    return this.shown[this.at];
  }

  async filter(kind: string): Promise<void> {
    await this.#ask(kind);
    await this.#toNext(-1);
  }

  /** Asks for the findings of a kind, from the first. */
  async #ask(kind: string): Promise<void> {
    const before = this.kind;
    this.kind = kind;
    await this.load();
    if (this.error === undefined || this.kind !== kind) return;
    this.kind = before;
    toasts.failed(this.error);
  }

  /** Fetches what comes behind; whether anything did. */
  #more(): Promise<boolean> {
    this.#coming ??= this.#fetch().finally(() => (this.#coming = null));
    return this.#coming;
  }

  async #fetch(): Promise<boolean> {
    const { data, kind } = this;
    if (!data?.audited_at || data.findings.length >= data.total) return false;
    const offset = data.findings.length;
    try {
      const page = await worklist.get(this.store.id, this.#kind, offset, PAGE);
      // Another kind or another list is looked at meanwhile.
      if (this.kind !== kind || this.data?.audited_at !== data.audited_at || this.data.findings.length !== offset) return true;
      if (page.audited_at !== data.audited_at) {
        // Not waited for: the new list may ask for more, which would wait for this page.
        void this.#renewed(data.audited_at);
        return false;
      }
      this.data = { ...this.data, findings: [...this.data.findings, ...page.findings] };
      return page.findings.length > 0;
    } catch (error) {
      toasts.failed(error);
      return false;
    }
  }

  /** Goes to the next open finding, also from the top: at once, unless it was not fetched yet. */
  async #toNext(from: number): Promise<void> {
    for (;;) {
      const next = nextOpen(this.shown, from);
      if (next !== null && next > from) return this.#show(next);
      if (this.counts.left === 0 || !(await this.#more())) return this.#show(next ?? Math.max(from, 0));
    }
  }

  async go(by: number): Promise<void> {
    const at = this.at + by;
    if (at >= this.shown.length) await this.#more();
    this.#show(Math.max(0, Math.min(this.shown.length - 1, at)));
  }

  #show(at: number): void {
    this.at = at;
    this.draft = null;
    if (this.shown.length - at < LOW) void this.#more();
  }

  get task(): Task {
    return this.store.data?.task ?? 'class';
  }

  /** What was given, or is suggested, in words. */
  told(answer: NonNullable<Finding['given']>): string {
    return answerText(answer, t('task.none'), locale()) ?? t('gallery.unlabelled');
  }

  /** A class was chosen, by its key or its button. */
  choose(name: string): void {
    if (this.task === 'classes') this.draft = toggleClass(this.ticked, name, this.store.classes);
    else if (this.task === 'class') void this.decide('relabel', { label: name });
  }

  /** Labels that are ticked: the draft, or those that were given. */
  get ticked(): readonly string[] {
    return this.draft ?? this.current?.given?.labels ?? [];
  }

  get mayGiveDrafted(): boolean {
    return this.draft !== null;
  }

  giveDrafted(): void {
    if (this.draft) void this.decide('relabel', { labels: this.draft });
  }

  get mayGiveNone(): boolean {
    return this.task === 'classes' && this.current !== undefined;
  }

  giveNone(): void {
    void this.decide('relabel', { labels: [] });
  }

  /** Shows the next one at once; the decision travels behind and comes back when it is not taken. */
  async decide(decision: Decision, answer: Partial<Answer> & { rule?: RuleChoice } = {}): Promise<void> {
    const finding = this.current;
    const audited_at = this.data?.audited_at;
    if (!finding || !audited_at) return;
    this.#put({ ...finding, decision: outcome[decision] }, audited_at);
    this.decided = [...this.decided.filter((number) => number !== finding.number), finding.number];
    void this.#toNext(this.at);
    try {
      this.#put(await worklist.decide(this.store.id, finding.number, { audited_at, decision, ...answer }), audited_at);
      this.taken += 1;
      if (decision !== 'keep' || finding.decision !== null) void this.store.load();
      if (finding.conflict !== null) void this.book.load();
    } catch (error) {
      // Another list has come meanwhile: what was decided about this one is past.
      if (this.data?.audited_at !== audited_at) return;
      if (error instanceof CallError && error.status === 409) return this.#renewed(audited_at);
      this.#put(finding, audited_at);
      this.decided = this.decided.filter((number) => number !== finding.number);
      toasts.bad(t('worklist.lost', { reason: reason(error) }));
    }
  }

  /** Gives the case that is shown a rule. */
  chooseRule(rule: RuleChoice): void {
    if (rule === 'new_class') this.picking = 'class';
    else void this.decide('rule', { rule });
  }

  /** Goes back to the last decided finding, to decide it again. */
  async back(): Promise<void> {
    const number = this.decided.at(-1);
    if (number === undefined) {
      toasts.say(t('worklist.undo.nothing'));
      return;
    }
    this.decided = this.decided.slice(0, -1);
    const place = (): number => this.shown.findIndex((finding) => finding.number === number);
    if (place() < 0) await this.#ask('');
    while (place() < 0 && (await this.#more())) continue;
    this.#show(Math.max(0, place()));
  }

  async undo(): Promise<void> {
    await this.back();
  }

  async look(): Promise<void> {
    try {
      await this.audit.start(() => worklist.audit(this.store.id));
    } catch (error) {
      toasts.failed(error);
    }
  }

  #renewed(old: string): Promise<void> {
    return (this.#renewing ??= this.#renew(old).finally(() => (this.#renewing = null)));
  }

  /** Somebody looked for mistakes meanwhile, so the list that is shown is an old one. */
  async #renew(old: string): Promise<void> {
    await this.begin();
    if (this.data?.audited_at === old) toasts.failed(this.error ?? undefined);
    else toasts.bad(t('worklist.renewed'));
  }

  /** Numbers mean something within one list only. */
  #put(next: Finding, auditedAt: string): void {
    if (this.data?.audited_at !== auditedAt) return;
    const before = this.data.findings.find((finding) => finding.number === next.number);
    const kinds = before ? recounted(this.data.kinds, before, next) : this.data.kinds;
    this.data = { ...this.data, kinds, findings: this.data.findings.map((finding) => (finding.number === next.number ? next : finding)) };
  }
}
