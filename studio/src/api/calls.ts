// Every call of the studio, by what it is about. Pages use these and never write an address themselves.

import { get, patch, path, post, postForm, put, putBytes, remove } from './client';
import type { Answer } from '../domain/answers';
import type { Shown } from '../domain/content';
import type * as T from './types';

const enc = encodeURIComponent;
const ofDataset = (id: string): string => `/v1/datasets/${enc(id)}`;
const ofModel = (id: string): string => `/v1/models/${enc(id)}`;

export const entering = {
  status: () => get<T.Status>('/v1/status'),
  session: () => get<T.Session>('/v1/session'),
  enter: (key: string) => post<T.Session>('/v1/enter', { key }),
  setup: (given: { key: string; tenant: string; name: string; password: string }) => post<T.Session>('/v1/setup', given),
  login: (name: string, password: string) => post<T.Session>('/v1/login', { name, password }),
  logout: () => post<void>('/v1/logout'),
  /** The address at the provider where an account is linked. */
  link: async (password: string) => (await post<T.Away>('/v1/oidc/link', { password })).address,
  unlink: () => remove('/v1/oidc/link'),
  startUrl: '/v1/oidc/start',
  /** A key for one more device, which begins with a page. */
  letIn: (to: string) => post<T.NewKey>('/v1/keys', { to }),
  /** Logs all other browsers out. */
  putOthersOut: () => remove('/v1/sessions'),
  password: (old: string, fresh: string) => post<void>('/v1/password', { old, new: fresh }),
};

export const people = {
  list: async () => (await get<{ people: T.Person[] }>('/v1/people')).people,
  add: (given: { name: string; password?: string; email?: string; role: T.Role }) => post<T.Person>('/v1/people', given),
  setRole: (id: string, role: T.Role) => patch<T.Person>(`/v1/people/${enc(id)}`, { role }),
  remove: (id: string) => remove(`/v1/people/${enc(id)}`),
  /** Gives somebody who forgot theirs a first password again. */
  setPassword: (id: string, password: string) => post<void>(`/v1/people/${enc(id)}/password`, { password }),
  /** Takes their account of the provider away. */
  unlink: (id: string) => remove(`/v1/people/${enc(id)}/account`),
  usage: () => get<T.Usage>('/v1/usage'),
  /** A page of it, the newest first: those before an entry, or the last. */
  trail: async (before: number | null) => (await get<{ entries: T.TrailEntry[] }>(path('/v1/trail', { before }))).entries,
  /** Looks through all of it. */
  seal: () => get<T.Seal>('/v1/trail/seal'),
  addTenant: (given: { tenant: string; name: string; password: string }) => post<void>('/v1/tenants', given),
};

export const tokens = {
  list: async () => (await get<{ tokens: T.Token[] }>('/v1/tokens')).tokens,
  add: (name: string, scopes: T.Scope[]) => post<T.NewToken>('/v1/tokens', { name, scopes }),
  remove: (id: string) => remove(`/v1/tokens/${enc(id)}`),
};

export interface ExampleQuery {
  label?: string;
  /** With `label`: only those the quick model would call this. */
  suggestion?: string;
  state?: 'labelled' | 'unlabelled' | 'marked' | 'removed' | 'disagrees';
  /** Only those that findings of this fault are about, or of `any`. */
  finding?: string;
  /** With `finding`: in this of several senses. */
  sense?: string;
  q?: string;
  similar_to?: string;
  order?: 'position' | 'doubt';
  /** Only those the quick model is at least this sure of, and less sure of than that: in [0, 1]. */
  sure_from?: string;
  sure_below?: string;
}

export const datasets = {
  list: async () => (await get<{ datasets: T.Dataset[] }>('/v1/datasets')).datasets,
  create: (name: string, task: T.Task) => post<T.Dataset>('/v1/datasets', { name, task }),
  get: (id: string) => get<T.Dataset>(ofDataset(id)),
  change: (id: string, given: { name?: string; task?: T.Task; annotators?: number; blind?: boolean }) => patch<T.Dataset>(ofDataset(id), given),
  remove: (id: string) => remove(ofDataset(id)),
  examples: (id: string, query: ExampleQuery, offset: number, limit: number, signal?: AbortSignal) =>
    get<T.Examples>(path(`${ofDataset(id)}/examples`, { offset, limit, ...query }), signal),
  /** Takes examples out, at most 500, or brings them back; one undo takes that back. */
  setRemoved: (id: string, examples: string[], removed: boolean) => post<T.Removed>(`${ofDataset(id)}/examples/removed`, { examples, removed }),
  problems: async (id: string) => (await get<{ problems: T.Problem[] }>(`${ofDataset(id)}/problems`)).problems,
  exportUrl: (id: string, format: string, files: boolean) => path(`${ofDataset(id)}/export`, { format, files: files ? 1 : 0 }),
  /** The labels of a state as it was. */
  exportStateUrl: (id: string, state: number) => path(`${ofDataset(id)}/export`, { format: 'csv', state }),
  exportFormats: (id: string) => get<T.ExportFormats>(`${ofDataset(id)}/export/formats`),
  map: (id: string) => get<T.Spots>(`${ofDataset(id)}/map`),
  addClass: (id: string, name: string) => post<T.Dataset>(`${ofDataset(id)}/classes`, { name }),
  renameClass: (id: string, name: string, to: string) =>
    patch<T.Dataset>(`${ofDataset(id)}/classes/${enc(name)}`, { name: to }),
  removeClass: (id: string, name: string) => remove(`${ofDataset(id)}/classes/${enc(name)}`),
};

export const uploads = {
  create: (dataset: string) => post<T.Upload>(`${ofDataset(dataset)}/uploads`),
  get: (id: string) => get<T.Upload>(`/v1/uploads/${enc(id)}`),
  put: (id: string, file: string, offset: number, bytes: Blob, signal?: AbortSignal) =>
    putBytes<T.UploadedFile>(path(`/v1/uploads/${enc(id)}/file`, { path: file, offset }), bytes, signal),
  finish: (id: string) => post<T.Job>(`/v1/uploads/${enc(id)}/finish`),
  remove: (id: string) => remove(`/v1/uploads/${enc(id)}`),
};

export const examples = {
  get: (id: string) => get<T.Example>(`/v1/examples/${enc(id)}`),
  /** Of one of several senses, or of what shows most of the example. */
  contentUrl: (id: string, sense: string | null = null) => path(`/v1/examples/${enc(id)}/content`, { sense: sense ?? undefined }),
  thumbnailUrl: (id: string, sense: string | null = null) => path(`/v1/examples/${enc(id)}/thumbnail`, { sense: sense ?? undefined }),
  /** As its file, or where the browser cannot draw that as a picture of at most 2048 pixels across. */
  shownUrl: (shown: Shown, id: string, sense: string | null = null) =>
    shown === 'file' ? examples.contentUrl(id, sense) : path(`/v1/examples/${enc(id)}/thumbnail`, { sense: sense ?? undefined, large: 1 }),
  /** Four frames of a video side by side. */
  stripUrl: (id: string, sense: string | null = null) => path(`/v1/examples/${enc(id)}/thumbnail`, { sense: sense ?? undefined, strip: 1 }),
  series: (id: string, sense: string | null) => get<T.Course>(path(`/v1/examples/${enc(id)}/series`, { sense: sense ?? undefined })),
  /** What may be marked on it; nothing of it is kept. */
  suggestedMarks: (id: string, signal: AbortSignal) => get<T.SuggestedMarks>(`/v1/examples/${enc(id)}/suggested-marks`, signal),
  /** All marks of the example anew, in place of those that were `seen`, by the number of their event. */
  mark: (id: string, marks: readonly T.Mark[], seen: number, milliseconds: number | null) =>
    put<T.MarksTaken>(`/v1/examples/${enc(id)}/marks`, { marks, seen, milliseconds }),
  /** What each of several people marked on it. */
  markings: (id: string) => get<T.MarkingList>(`/v1/examples/${enc(id)}/markings`),
  /** Decides which of it holds. */
  takeMarks: (id: string, taking: T.Taking) => post<T.MarkingList>(`/v1/examples/${enc(id)}/markings/decision`, taking),
};

export const labels = {
  /** `from` says whether the queue asked for the example, or the person picked it. */
  set: (dataset: string, example: string, answer: Answer, { milliseconds, from }: { milliseconds: number | null; from: T.Origin }) =>
    post<T.Labelled>(`${ofDataset(dataset)}/labels`, { example, ...answer, milliseconds, from }, { keepalive: true }),
  /** Many at once, in order; one undo takes them back. */
  setMany: (dataset: string, given: ({ example: string } & Answer)[]) =>
    post<T.LabelledMany>(`${ofDataset(dataset)}/labels/batch`, { labels: given }),
  undo: (dataset: string) => post<T.Undone>(`${ofDataset(dataset)}/undo`),
  queue: (dataset: string, limit: number) => get<T.Queue>(path(`${ofDataset(dataset)}/queue`, { limit })),
  live: (dataset: string) => get<T.Live>(`${ofDataset(dataset)}/live`),
  events: async (dataset: string, example: string, limit: number) =>
    (await get<{ events: T.LabelEvent[] }>(path(`${ofDataset(dataset)}/events`, { example, limit }))).events,
};

export const worklist = {
  /** `of` asks for one kind of findings only. */
  get: (dataset: string, of: { fault: string; sense: string | null } | null, offset: number, limit: number) =>
    get<T.Worklist>(path(`${ofDataset(dataset)}/worklist`, { fault: of?.fault, sense: of?.sense ?? undefined, offset, limit })),
  audit: (dataset: string) => post<T.Job>(`${ofDataset(dataset)}/audit`),
  /** `audited_at` is that of the list that is shown: the server refuses decisions about an older one. */
  decide: (dataset: string, number: number, given: { audited_at: string; decision: T.Decision; rule?: T.RuleChoice } & Partial<Answer>) =>
    post<T.Finding>(`${ofDataset(dataset)}/worklist/${number}`, given),
};

export const book = {
  get: (dataset: string) => get<T.LabelBook>(`${ofDataset(dataset)}/book`),
  /** An empty text takes the note away. */
  setNote: (dataset: string, name: string, text: string) => put<void>(`${ofDataset(dataset)}/book/notes/${enc(name)}`, { text }),
  removeRule: (dataset: string, number: number) => remove(`${ofDataset(dataset)}/book/rules/${number}`),
  exportUrl: (dataset: string, format: 'json' | 'markdown', lang: string) => path(`${ofDataset(dataset)}/book/export`, { format, lang }),
};

export const history = {
  points: async (dataset: string) => (await get<{ points: T.Point[] }>(`${ofDataset(dataset)}/history`)).points,
  /** Gives the state of now a name. */
  name: (dataset: string, name: string) => post<{ id: string }>(`${ofDataset(dataset)}/states`, { name }),
  forget: (dataset: string, state: string) => remove(`${ofDataset(dataset)}/states/${enc(state)}`),
  diff: (dataset: string, from: number, to: number) => get<T.Diff>(path(`${ofDataset(dataset)}/diff`, { from, to })),
  different: async (dataset: string, from: number, to: number, { kind, key }: Pick<T.DiffGroup, 'kind' | 'key'>, offset: number, limit: number) =>
    (await get<{ examples: T.Different[] }>(path(`${ofDataset(dataset)}/diff/examples`, { from, to, kind, key, offset, limit }))).examples,
  /** Goes back to a state, as long as the data are in the state that was seen. */
  /** What going back would change; nothing is. */
  wouldRestore: (dataset: string, seq: number) => post<T.Restored>(`${ofDataset(dataset)}/states/restore`, { seq, dry_run: true }),
  restore: (dataset: string, seq: number, seen: number) => post<T.Restored>(`${ofDataset(dataset)}/states/restore`, { seq, if_seq: seen }),
  gains: async (dataset: string) => (await get<{ audits: T.Followed[] }>(`${ofDataset(dataset)}/gains`)).audits,
  ofExample: (example: string) => get<T.Lineage>(`/v1/examples/${enc(example)}/lineage`),
};

export const agreement = {
  get: (dataset: string) => get<T.Agreement>(`${ofDataset(dataset)}/agreement`),
  /** What holds from now on, whatever was said and will be. */
  decide: (dataset: string, example: string, answer: Answer) => post<T.Example>(`${ofDataset(dataset)}/decisions`, { example, ...answer }),
  /** As for answers, of what people mark. */
  marks: (dataset: string) => get<T.MarksAgreement>(`${ofDataset(dataset)}/agreement/marks`),
};

export const jobs = {
  get: (id: string) => get<T.Job>(`/v1/jobs/${enc(id)}`),
  list: async (dataset: string) => (await get<{ jobs: T.Job[] }>(path('/v1/jobs', { dataset }))).jobs,
  cancel: (id: string) => post<T.Job>(`/v1/jobs/${enc(id)}/cancel`),
};

export type PredictInput = { text: string };

export const models = {
  list: async (dataset?: string) => (await get<{ models: T.Model[] }>(path('/v1/models', { dataset }))).models,
  get: (id: string) => get<T.Model>(ofModel(id)),
  remove: (id: string) => remove(ofModel(id)),
  tune: (dataset: string, given: { name?: string; target_error?: number; false_alarms?: number; confidence?: number }) =>
    post<T.Job>(`${ofDataset(dataset)}/tune`, given),
  errors: (id: string) => get<T.ModelErrors>(`${ofModel(id)}/errors`),
  /** How an inspector sees an example, with a picture of where it looked. */
  inspected: (id: string, example: string, signal: AbortSignal) => get<T.SeenExample>(`${ofModel(id)}/inspected/${enc(example)}`, signal),
  /** How those saw it that the inspector was measured by, which is written down; null where it is not. */
  measured: async (id: string, example: string, signal: AbortSignal) => (await get<{ measured: T.MeasuredView | null }>(`${ofModel(id)}/inspected/${enc(example)}/measured`, signal)).measured,
  /** The same picture, small. */
  heatUrl: (id: string, example: string) => `${ofModel(id)}/inspected/${enc(example)}/heat`,
  compare: (id: string, other: string) => get<T.Comparison>(`${ofModel(id)}/compare/${enc(other)}`),
  nearestToText: (id: string, text: string) => post<T.Nearest>(`${ofModel(id)}/nearest`, { inputs: [{ text }] }),
  nearestToFile: (id: string, name: string, blob: Blob) => {
    const form = new FormData();
    form.append('file', blob, name);
    return postForm<T.Nearest>(`${ofModel(id)}/nearest`, form);
  },
  nearestToSenses: (id: string, there: ReadonlyMap<string, Blob | string>) => postForm<T.Nearest>(`${ofModel(id)}/nearest`, formOf(there)),
  reportUrl: (id: string, lang: string) => path(`${ofModel(id)}/report`, { lang }),
  bundleUrl: (id: string) => `${ofModel(id)}/bundle`,
  predictTexts: async (id: string, inputs: PredictInput[]) =>
    (await post<{ predictions: T.Predicted[] }>(`${ofModel(id)}/predict`, { inputs })).predictions,
  predictFiles: async (id: string, files: { name: string; blob: Blob }[]) => {
    const form = new FormData();
    for (const { name, blob } of files) form.append('file', blob, name);
    return (await postForm<{ predictions: T.Predicted[] }>(path(`${ofModel(id)}/predict`, { heat: 1 }), form)).predictions;
  },
  /** One thing, by what is there of its senses. */
  predictSenses: async (id: string, there: ReadonlyMap<string, Blob | string>) =>
    (await postForm<{ predictions: T.Predicted[] }>(`${ofModel(id)}/predict`, formOf(there))).predictions,
};

function formOf(there: ReadonlyMap<string, Blob | string>): FormData {
  const form = new FormData();
  for (const [sense, given] of there) form.append(sense, given);
  return form;
}

export const deployments = {
  list: async () => (await get<{ deployments: T.Deployment[] }>('/v1/deployments')).deployments,
  /** `collects`: the dataset that doubtful answers come back to as work, if any, for so many days; `shadow`: a model that is asked as well. */
  set: (name: string, given: { model: string; collects: string | null; keep_days?: number; shadow: string | null }) => put<T.Deployment>(`/v1/deployments/${enc(name)}`, given),
  rollBack: (name: string) => post<T.Deployment>(`/v1/deployments/${enc(name)}/roll-back`),
  remove: (name: string) => remove(`/v1/deployments/${enc(name)}`),
  monitor: (name: string, days: number) => get<T.Monitor>(path(`/v1/deployments/${enc(name)}/monitor`, { days })),
  /** What is asked about now is usual: the watch for changes begins anew. */
  acceptChange: (name: string) => remove(`/v1/deployments/${enc(name)}/drift`),
};
