// Brings a folder in: makes the dataset, uploads in parallel, goes on after interruptions, follows the import.

import { datasets, jobs, uploads } from '../../api/calls';
import { CallError } from '../../api/client';
import { follow } from '../../api/jobs';
import type { Dataset, Job, Problem, Task, Upload } from '../../api/types';
import { reason } from '../../app/toasts.svelte';
import { wrong } from '../../domain/format';
import { runAll } from '../../domain/pool';
import { retry, sleep } from '../../domain/retry';
import { planUpload, remaining, secondsLeft, type LocalFile, type Plan } from '../../domain/upload-plan';
import { sendFile } from '../../domain/upload';
import { t } from '../../i18n';

const AT_ONCE = 6;
const UNFINISHED = 'dianjing.upload';
const RETRY = { attempts: 8, firstDelayMs: 400, maxDelayMs: 10_000, wait: sleep, passing: isPassing };

function isPassing(error: unknown): boolean {
  return error instanceof CallError && error.passing;
}

export type Stage = 'reading' | 'sending' | 'importing' | 'done' | 'failed';

export class BringIn {
  stage = $state<Stage>('reading');
  name = $state('');
  found = $state(0);
  files = $state({ done: 0, total: 0 });
  bytes = $state({ done: 0, total: 0 });
  left = $state<number | null>(null);
  resumed = $state(0);
  shaky = $state(false);
  job = $state.raw<Job | null>(null);
  problems = $state.raw<Problem[]>([]);
  failure = $state('');
  dataset = $state.raw<Dataset | null>(null);
  readonly task: Task;
  #abort = new AbortController();

  constructor(task: Task) {
    this.task = task;
  }

  /** Goes all the way; what happened is in `stage`. */
  async run(reading: Promise<LocalFile[]>): Promise<void> {
    try {
      const plan = planUpload(await reading);
      if (plan.files.length === 0) throw new Error(t('upload.nothing'));
      this.name = plan.name;
      await this.#upload(plan);
    } catch (error) {
      if (this.#abort.signal.aborted) return;
      this.failure = reason(error);
      this.stage = 'failed';
    }
  }

  async stop(): Promise<void> {
    this.#abort.abort();
    if (this.job && this.stage === 'importing') await jobs.cancel(this.job.id).catch(() => {});
  }

  async #upload(plan: Plan): Promise<void> {
    this.stage = 'sending';
    this.bytes = { done: 0, total: plan.bytes };
    this.files = { done: 0, total: plan.files.length };
    const upload = await this.#begin(plan);
    const todo = remaining(plan, upload.files);
    const there = plan.bytes - todo.reduce((sum, { file, offset }) => sum + file.file.size - offset, 0);
    this.resumed = plan.files.length - todo.length;
    this.bytes.done = there;
    this.files.done = this.resumed;

    const began = performance.now();
    await runAll(todo, AT_ONCE, async ({ file, offset }) => {
      await sendFile(file.path, file.file, offset, {
        put: (path, at, piece) => this.#put(upload.id, path, at, piece),
        serverSize: (error) => (error instanceof CallError && error.code === 'wrong_offset' ? error.size : null),
        progress: (n) => {
          this.bytes.done += n;
          this.left = secondsLeft(this.bytes.done - there, this.bytes.total - there, performance.now() - began);
        },
      });
      this.files.done += 1;
    });
    await this.#import(upload);
  }

  async #put(upload: string, path: string, offset: number, piece: Blob): Promise<{ size: number }> {
    const sent = await retry(() => uploads.put(upload, path, offset, piece, this.#abort.signal), {
      ...RETRY,
      failed: () => (this.shaky = true),
    });
    this.shaky = false;
    return sent;
  }

  /** An upload of the same thing that was interrupted, or a new dataset with a new upload. */
  async #begin(plan: Plan): Promise<Upload> {
    const before = remembered();
    if (before?.fingerprint === plan.fingerprint) {
      const upload = await uploads.get(before.upload).catch(() => null);
      if (upload) {
        this.dataset = await datasets.get(upload.dataset);
        return upload;
      }
    }
    this.dataset = await datasets.create(plan.name, this.task);
    const upload = await uploads.create(this.dataset.id);
    remember({ fingerprint: plan.fingerprint, upload: upload.id, name: plan.name });
    return upload;
  }

  async #import(upload: Upload): Promise<void> {
    this.stage = 'importing';
    const job = await retry(() => uploads.finish(upload.id), RETRY);
    remember(null);
    this.job = job;
    const end = await follow(job.id, (news) => (this.job = news), this.#abort.signal);
    if (end.state !== 'done') {
      await this.#forget(upload.dataset);
      throw new Error(end.error ? wrong(end.error) : t('models.cancelled'));
    }
    if (end.result?.n_problems) this.problems = await datasets.problems(upload.dataset).catch(() => []);
    this.stage = 'done';
  }

  /** A dataset that nothing came into is only in the way. */
  async #forget(id: string): Promise<void> {
    const dataset = await datasets.get(id).catch(() => null);
    if (dataset?.n_examples === 0) await datasets.remove(id).catch(() => {});
  }
}

interface Remembered {
  fingerprint: string;
  upload: string;
  name: string;
}

/** The name of what was being uploaded when the page was left, if anything. */
export function interrupted(): string | null {
  return remembered()?.name ?? null;
}

function remembered(): Remembered | null {
  try {
    return JSON.parse(localStorage.getItem(UNFINISHED) ?? 'null') as Remembered | null;
  } catch {
    return null;
  }
}

function remember(value: Remembered | null): void {
  try {
    if (value) localStorage.setItem(UNFINISHED, JSON.stringify(value));
    else localStorage.removeItem(UNFINISHED);
  } catch {
    // Without storage an interrupted upload starts again from the beginning.
  }
}
