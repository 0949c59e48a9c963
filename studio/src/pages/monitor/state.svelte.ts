// A deployment with what was counted of it, and the models that could run beside the one that answers.

import { deployments, models } from '../../api/calls';
import type { Deployment, Model, Monitor } from '../../api/types';
import { Resource } from '../../app/resource.svelte';
import { toasts } from '../../app/toasts.svelte';
import { t } from '../../i18n';

export interface Watched {
  /** Null where there is no such name. */
  deployment: Deployment | null;
  monitor: Monitor | null;
  models: Model[];
  /** How many days it is about. */
  days: number;
}

export const periods = [7, 30, 90] as const;

export class MonitorState extends Resource<Watched> {
  readonly name: string;
  busy = $state(false);
  /** Days that are asked for. */
  days = $state<number>(30);

  constructor(name: string) {
    super(() => this.#ask());
    this.name = name;
    void this.load();
  }

  async #ask(): Promise<Watched> {
    const days = this.days;
    const [all, made] = await Promise.all([deployments.list(), models.list()]);
    const deployment = all.find((one) => one.name === this.name) ?? null;
    return { deployment, monitor: deployment && (await deployments.monitor(this.name, days)), models: made, days };
  }

  async show(days: number): Promise<void> {
    this.days = days;
    await this.renew();
  }

  /** Asks again; a failure is told, and what is there stays. */
  async renew(): Promise<void> {
    this.busy = true;
    await this.load();
    if (this.error !== undefined && this.data !== undefined) toasts.failed(this.error);
    this.busy = false;
  }

  async acceptChange(): Promise<void> {
    await deployments.acceptChange(this.name);
    toasts.say(t('monitor.drift.accepted'));
    await this.load();
  }

  /** Another model beside the one that answers, or none. */
  async setShadow(deployment: Deployment, shadow: Model | null): Promise<void> {
    const done = await this.#put({ model: deployment.model.id, collects: deployment.collects, shadow: shadow?.id ?? null });
    if (done) toasts.say(shadow ? t('monitor.shadow.set', { model: shadow.name }) : t('monitor.shadow.ended'));
  }

  /** The model in the shadow answers from now on; the one before waits to be rolled back to. */
  async letAnswer(deployment: Deployment, shadow: Model): Promise<void> {
    const done = await this.#put({ model: shadow.id, collects: deployment.collects, shadow: null });
    // Rolled back by other means meanwhile, it would come back.
    const isThere = (): boolean => this.data?.deployment?.model.id === shadow.id;
    if (done) toasts.say(t('monitor.shadow.done', { model: shadow.name }), { title: t('deploy.roll_back'), run: () => void (isThere() && this.rollBack()) });
  }

  async rollBack(): Promise<void> {
    try {
      await deployments.rollBack(this.name);
      toasts.say(t('deploy.rolled_back', { name: this.name }));
    } catch (error) {
      toasts.failed(error);
    }
    await this.load();
  }

  async #put(given: { model: string; collects: string | null; shadow: string | null }): Promise<boolean> {
    this.busy = true;
    try {
      await deployments.set(this.name, given);
      await this.load();
      return true;
    } catch (error) {
      toasts.failed(error);
      return false;
    } finally {
      this.busy = false;
    }
  }
}
