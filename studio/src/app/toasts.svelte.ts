// Short messages at the edge of the page, with at most one thing to do about them.

import { CallError } from '../api/client';
import { sentence, wrong } from '../domain/format';
import { t } from '../i18n';

export interface Toast {
  id: number;
  kind: 'good' | 'bad';
  text: string;
  action?: { title: string; run: () => void };
}

const GOOD_MS = 4000;
const BAD_MS = 9000;

class Toasts {
  list = $state<Toast[]>([]);
  #next = 0;

  say(text: string, action?: Toast['action']): void {
    this.#add({ kind: 'good', text, action }, action ? BAD_MS : GOOD_MS);
  }

  failed(error: unknown): void {
    this.#add({ kind: 'bad', text: reason(error) }, BAD_MS);
  }

  bad(text: string): void {
    this.#add({ kind: 'bad', text: sentence(text) }, BAD_MS);
  }

  drop(id: number): void {
    this.list = this.list.filter((toast) => toast.id !== id);
  }

  #add(toast: Omit<Toast, 'id'>, ms: number): void {
    const id = this.#next++;
    this.list = [...this.list.slice(-2), { ...toast, id }];
    setTimeout(() => this.drop(id), ms);
  }
}

export const toasts = new Toasts();

/** What went wrong, in words for the person. */
export function reason(error: unknown): string {
  if (error instanceof CallError) {
    if (error.status === 0) return t('common.offline');
    return wrong(error);
  }
  return error instanceof Error ? error.message : t('common.failed');
}
