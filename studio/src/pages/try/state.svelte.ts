// Asking a model about something new, and what it said before.

import { models } from '../../api/calls';
import type { Modality, Predicted } from '../../api/types';
import { reason } from '../../app/toasts.svelte';

const KEPT = 12;

export interface Attempt {
  id: number;
  name: string;
  text: string | null;
  /** Address of the picture, sound or video within this page. */
  url: string | null;
  /** What was there of several senses. */
  senses: ReadonlyMap<string, File | string> | null;
  modality: Modality;
  predicted: Predicted | null;
  failure: string | null;
}

export class TryState {
  model = $state('');
  attempts = $state.raw<Attempt[]>([]);
  busy = $state(false);
  #next = 0;

  get latest(): Attempt | undefined {
    return this.attempts[0];
  }

  async askText(text: string): Promise<void> {
    const attempt = this.#add({ name: text, text, url: null, senses: null, modality: 'text' });
    await this.#ask(attempt, () => models.predictTexts(this.model, [{ text }]));
  }

  async askFile(blob: Blob, name: string, modality: Modality): Promise<void> {
    const attempt = this.#add({ name, text: null, url: URL.createObjectURL(blob), senses: null, modality });
    await this.#ask(attempt, () => models.predictFiles(this.model, [{ name, blob }]));
  }

  /** One thing, by what is there of its senses. */
  async askSenses(there: ReadonlyMap<string, File | string>): Promise<void> {
    const told = [...there].map(([sense, given]) => `${sense}: ${typeof given === 'string' ? given : given.name}`).join('\n');
    const attempt = this.#add({ name: told, text: told, url: null, senses: there, modality: 'senses' });
    await this.#ask(attempt, () => models.predictSenses(this.model, there));
  }

  /** One picture of the camera: the answer only, nothing is kept. */
  async glance(blob: Blob): Promise<Predicted | null> {
    const [predicted] = await models.predictFiles(this.model, [{ name: 'camera.jpg', blob }]);
    return predicted ?? null;
  }

  /** Pictures held for showing are let go. */
  clear(): void {
    for (const attempt of this.attempts) if (attempt.url) URL.revokeObjectURL(attempt.url);
    this.attempts = [];
  }

  #add(given: Omit<Attempt, 'id' | 'predicted' | 'failure'>): Attempt {
    const attempt = { ...given, id: this.#next++, predicted: null, failure: null };
    for (const old of this.attempts.slice(KEPT - 1)) if (old.url) URL.revokeObjectURL(old.url);
    this.attempts = [attempt, ...this.attempts.slice(0, KEPT - 1)];
    return attempt;
  }

  async #ask(attempt: Attempt, call: () => Promise<Predicted[]>): Promise<void> {
    this.busy = true;
    try {
      const [predicted] = await call();
      this.#put({ ...attempt, predicted: predicted ?? null });
    } catch (error) {
      this.#put({ ...attempt, failure: reason(error) });
    }
    this.busy = false;
  }

  #put(next: Attempt): void {
    this.attempts = this.attempts.map((attempt) => (attempt.id === next.id ? next : attempt));
  }
}
