// The one way to the server: small typed calls over fetch, and one error class.

import type { Failure } from './types';

/** A call that did not work. `code` is stable; `message` and `hint` are for people, in their language. */
export class CallError extends Error {
  readonly status: number;
  readonly code: string;
  readonly hint: string | null;
  readonly requestId: string | null;
  readonly size: number | null;

  constructor(status: number, failure: Partial<Failure>) {
    super(failure.message ?? `HTTP ${status}`);
    this.status = status;
    this.code = failure.code ?? (status === 0 ? 'offline' : 'internal');
    this.hint = failure.hint ?? null;
    this.requestId = failure.request_id ?? null;
    this.size = failure.size ?? null;
  }

  /** Whether the same call may work a little later. */
  get passing(): boolean {
    // Without room nothing works until somebody makes some.
    return this.status === 0 || this.status === 429 || (this.status >= 500 && this.status !== 507);
  }
}

type Value = string | number | boolean | null | undefined;

interface Settings {
  language: () => string;
  /** Called when the session has ended, so that the page can ask to log in again. */
  unauthenticated: () => void;
}

const settings: Settings = { language: () => 'en', unauthenticated: () => {} };

export function configure(given: Settings): void {
  Object.assign(settings, given);
}

/** A path with its query; empty values are left out. */
export function path(base: string, query: Record<string, Value> = {}): string {
  const params = new URLSearchParams();
  for (const [key, value] of Object.entries(query)) {
    if (value !== null && value !== undefined && value !== '') params.set(key, String(value));
  }
  const text = params.toString();
  return text ? `${base}?${text}` : base;
}

interface Options {
  body?: BodyInit | null;
  json?: unknown;
  signal?: AbortSignal;
  /** Lets a last label reach the server while the page is being left. */
  keepalive?: boolean;
}

async function send(method: string, url: string, options: Options): Promise<Response> {
  const headers: Record<string, string> = { 'Accept-Language': settings.language() };
  // A form on another site cannot set this header, so the server knows the call is ours.
  if (method !== 'GET') headers['X-Dianjing'] = '1';
  let body = options.body ?? null;
  if (options.json !== undefined) {
    headers['Content-Type'] = 'application/json';
    body = JSON.stringify(options.json);
  }
  let response: Response;
  try {
    response = await fetch(url, { method, headers, body, signal: options.signal, keepalive: options.keepalive });
  } catch (error) {
    if (options.signal?.aborted) throw error;
    throw new CallError(0, { code: 'offline' });
  }
  if (response.ok) return response;
  const failure: unknown = await response.json().catch(() => ({}));
  if (response.status === 401) settings.unauthenticated();
  throw new CallError(response.status, isFailure(failure) ? failure : {});
}

function isFailure(value: unknown): value is Failure {
  return typeof value === 'object' && value !== null && 'code' in value && typeof value.code === 'string';
}

async function read<T>(response: Response): Promise<T> {
  if (response.status === 204) return undefined as T;
  return (await response.json()) as T;
}

export async function get<T>(url: string, signal?: AbortSignal): Promise<T> {
  return read<T>(await send('GET', url, { signal }));
}

export async function post<T>(url: string, json: unknown = {}, options: Omit<Options, 'json' | 'body'> = {}): Promise<T> {
  return read<T>(await send('POST', url, { ...options, json }));
}

export async function patch<T>(url: string, json: unknown): Promise<T> {
  return read<T>(await send('PATCH', url, { json }));
}

export async function put<T>(url: string, json: unknown): Promise<T> {
  return read<T>(await send('PUT', url, { json }));
}

export async function putBytes<T>(url: string, body: Blob, signal?: AbortSignal): Promise<T> {
  return read<T>(await send('PUT', url, { body, signal }));
}

export async function postForm<T>(url: string, form: FormData, signal?: AbortSignal): Promise<T> {
  return read<T>(await send('POST', url, { body: form, signal }));
}

export async function remove(url: string): Promise<void> {
  await send('DELETE', url, {});
}
