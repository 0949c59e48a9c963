// The findings, which of them is looked at, and what was decided in this sitting.

import { worklist } from '../../api/calls';
import type { Decision, Finding, Worklist } from '../../api/types';
import { JobWatch } from '../../app/job.svelte';
import { Resource } from '../../app/resource.svelte';
import { reason, toasts } from '../../app/toasts.svelte';
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

  constructor(store: DatasetStore) {
    super(() => worklist.get(store.id));
    this.store = store;
    this.audit = new JobWatch('audit', (job) => {
      if (job.state === 'failed') toasts.bad([job.error?.message, job.error?.hint].filter(Boolean).join('. '));
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
    if (!finding) return;
    this.#put({ ...finding, decision: outcome[decision] });
    this.decided = [...this.decided.filter((number) => number !== finding.number), finding.number];
    const next = nextOpen(this.shown, this.at);
    if (next !== null) this.at = next;
    try {
      this.#put(await worklist.decide(this.store.id, finding.number, decision, label));
      if (decision !== 'keep') void this.store.load();
    } catch (error) {
      this.#put(finding);
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

  #put(next: Finding): void {
    if (!this.data) return;
    this.data = { ...this.data, findings: this.data.findings.map((finding) => (finding.number === next.number ? next : finding)) };
  }
}
