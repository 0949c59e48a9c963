// Follows a job to its end: over server-sent events, and by asking again where these do not get through.

import { CallError, get } from './client';
import type { Job } from './types';

const POLL_MS = 700;
/** A proxy that swallows event streams shows as silence; after this long we ask as well. */
const SILENCE_MS = 4000;

export function ended(job: Job): boolean {
  return job.state === 'done' || job.state === 'failed' || job.state === 'cancelled';
}

/** Calls `seen` with each news of the job and resolves with its last state. `signal` stops the watching, not the job. */
export function follow(id: string, seen: (job: Job) => void, signal?: AbortSignal): Promise<Job> {
  return new Promise((resolve, reject) => {
    const url = `/v1/jobs/${encodeURIComponent(id)}`;
    let timer: ReturnType<typeof setTimeout> | undefined;
    let source: EventSource | null = null;

    function stop(): void {
      clearTimeout(timer);
      source?.close();
      source = null;
      signal?.removeEventListener('abort', aborted);
    }
    function aborted(): void {
      stop();
      reject(new DOMException('stopped watching', 'AbortError'));
    }
    function news(job: Job): void {
      if (signal?.aborted) return;
      seen(job);
      if (ended(job)) {
        stop();
        resolve(job);
      } else if (source) {
        clearTimeout(timer);
        timer = setTimeout(poll, SILENCE_MS);
      }
    }
    async function poll(): Promise<void> {
      try {
        const job = await get<Job>(url, signal);
        if (signal?.aborted) return;
        news(job);
        if (!ended(job)) timer = setTimeout(poll, source ? SILENCE_MS : POLL_MS);
      } catch (error) {
        if (signal?.aborted) return;
        if (error instanceof CallError && !error.passing) {
          stop();
          reject(error);
        } else timer = setTimeout(poll, POLL_MS * 3);
      }
    }

    if (signal?.aborted) return aborted();
    signal?.addEventListener('abort', aborted);
    source = new EventSource(`${url}/events`);
    source.addEventListener('job', (event: MessageEvent<string>) => news(JSON.parse(event.data) as Job));
    source.onerror = () => {
      // The browser reconnects by itself while the stream is only interrupted.
      if (source?.readyState !== EventSource.CLOSED) return;
      source = null;
      clearTimeout(timer);
      void poll();
    };
    timer = setTimeout(poll, SILENCE_MS);
  });
}
