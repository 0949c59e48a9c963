// The findings, which of them is looked at, and what was decided in this sitting.

import { worklist } from '../../api/calls';
import { CallError } from '../../api/client';
import type { Decision, Finding, Worklist } from '../../api/types';
import { JobWatch } from '../../app/job.svelte';
import { Resource } from '../../app/resource.svelte';
import { reason, toasts } from '../../app/toasts.svelte';
import { wrong } from '../../domain/format';
import { nextOpen, outcome } from '../../domain/worklist';
import { t } from '../../i18n';
import type { DatasetStore } from '../dataset/store.svelte';

export class WorklistState extends Resource<Worklist> {
  readonly store: DatasetStore;
  readonly audit: JobWatch;
  fault = $state('');
  at = $state(0);
  picking = $state(false);
  /** Numbers of the findings decided here, the last one last. */
  decided = $state.raw<number[]>([]);
  #renewing: Promise<void> | null = null;

  constructor(store: DatasetStore) {
    super(() => worklist.get(store.id));
    this.store = store;
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
    this.#toFirst();
  }

  get shown(): Finding[] {
    const all = this.data?.findings ?? [];
    return this.fault === '' ? all : all.filter((finding) => finding.fault === this.fault);
  }

  get current(): Finding | undefined {
    return this.shown[this.at];
  }

  filter(fault: string): void {
    this.fault = fault;
    this.#toFirst();
  }

  #toFirst(): void {
    this.at = nextOpen(this.shown, -1) ?? 0;
  }

  go(by: number): void {
    this.at = Math.max(0, Math.min(this.shown.length - 1, this.at + by));
  }

  /** Shows the next one at once; the decision travels behind and comes back when it is not taken. */
  async decide(decision: Decision, label?: string): Promise<void> {
    const finding = this.current;
    const audited_at = this.data?.audited_at;
    if (!finding || !audited_at) return;
    this.#put({ ...finding, decision: outcome[decision] }, audited_at);
    this.decided = [...this.decided.filter((number) => number !== finding.number), finding.number];
    const next = nextOpen(this.shown, this.at);
    if (next !== null) this.at = next;
    try {
      this.#put(await worklist.decide(this.store.id, finding.number, { audited_at, decision, label }), audited_at);
      if (decision !== 'keep') void this.store.load();
    } catch (error) {
      // Another list has come meanwhile: what was decided about this one is past.
      if (this.data?.audited_at !== audited_at) return;
      if (error instanceof CallError && error.status === 409) return (this.#renewing ??= this.#renew(audited_at).finally(() => (this.#renewing = null)));
      this.#put(finding, audited_at);
      this.decided = this.decided.filter((number) => number !== finding.number);
      toasts.bad(t('worklist.lost', { reason: reason(error) }));
    }
  }

  /** Goes back to the last decided finding, to decide it again. */
  back(): void {
    const number = this.decided.at(-1);
    if (number === undefined) {
      toasts.say(t('worklist.undo.nothing'));
      return;
    }
    this.decided = this.decided.slice(0, -1);
    if (!this.shown.some((finding) => finding.number === number)) this.fault = '';
    this.at = Math.max(0, this.shown.findIndex((finding) => finding.number === number));
  }

  async look(): Promise<void> {
    try {
      await this.audit.start(() => worklist.audit(this.store.id));
    } catch (error) {
      toasts.failed(error);
    }
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
    this.data = { ...this.data, findings: this.data.findings.map((finding) => (finding.number === next.number ? next : finding)) };
  }
}
