// Brings a folder in: into a new dataset or one that there is; uploads in parallel, goes on after interruptions, follows the import.

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

/** A new dataset is asked for its answers; one that there is has said so. */
export type Into = { task: Task } | { dataset: string };

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
  readonly #into: Into;
  #abort = new AbortController();

  constructor(into: Into) {
    this.#into = into;
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
    // What was finished takes no more pieces.
    if (!upload.job) await this.#send(plan, upload);
    await this.#import(upload);
  }

  async #send(plan: Plan, upload: Upload): Promise<void> {
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
  }

  async #put(upload: string, path: string, offset: number, piece: Blob): Promise<{ size: number }> {
    const sent = await retry(() => uploads.put(upload, path, offset, piece, this.#abort.signal), {
      ...RETRY,
      failed: () => (this.shaky = true),
    });
    this.shaky = false;
    return sent;
  }

  /** An upload of the same thing that was interrupted, or a new one. */
  async #begin(plan: Plan): Promise<Upload> {
    const before = await this.#interrupted(plan);
    this.dataset = before ? await datasets.get(before.dataset) : await this.#destination(plan.name);
    if (before && !(await isLost(before))) return before;
    const upload = await uploads.create(this.dataset.id);
    remember({ fingerprint: plan.fingerprint, upload: upload.id, name: plan.name, into: 'dataset' in this.#into ? this.#into.dataset : null });
    return upload;
  }

  /** The upload of the same thing to the same place that was not seen to its end, if the server knows it still. */
  async #interrupted(plan: Plan): Promise<Upload | null> {
    const before = remembered();
    if (before?.fingerprint !== plan.fingerprint) return null;
    const upload = await unlessGone(uploads.get(before.upload));
    const isOurs = 'dataset' in this.#into ? upload?.dataset === this.#into.dataset : !before.into;
    return isOurs ? upload : null;
  }

  async #destination(name: string): Promise<Dataset> {
    return 'dataset' in this.#into ? datasets.get(this.#into.dataset) : datasets.create(name, this.#into.task);
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
    if (end.result?.n_problems) this.problems = await this.#newProblems(upload).catch(() => []);
    this.stage = 'done';
  }

  /** Of an import that was under way already it is not known which those of others are: all are shown. */
  async #newProblems(upload: Upload): Promise<Problem[]> {
    const all = await datasets.problems(upload.dataset);
    return upload.job ? all : all.slice(this.dataset?.n_problems ?? 0);
  }

  /** A dataset that was made for what did not come is only in the way. */
  async #forget(id: string): Promise<void> {
    if ('dataset' in this.#into) return;
    const dataset = await datasets.get(id).catch(() => null);
    if (dataset?.n_examples === 0) await datasets.remove(id).catch(() => {});
  }
}

/** Whether an upload was finished and yet brings nothing: its job failed, was stopped, or is forgotten. */
async function isLost(upload: Upload): Promise<boolean> {
  if (!upload.job) return false;
  const job = await unlessGone(jobs.get(upload.job));
  return job === null || job.state === 'failed' || job.state === 'cancelled';
}

async function unlessGone<T>(asked: Promise<T>): Promise<T | null> {
  try {
    return await asked;
  } catch (error) {
    if (error instanceof CallError && error.status === 404) return null;
    throw error;
  }
}

interface Remembered {
  fingerprint: string;
  upload: string;
  name: string;
  /** The dataset that was there before; null where one was made for it. */
  into: string | null;
}

/** The name of what was being uploaded into this dataset, or into a new one (null), when the page was left; if anything. */
export function interrupted(into: string | null): string | null {
  const before = remembered();
  return before && (before.into ?? null) === into ? before.name : null;
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
