// What the server and the studio say to each other. Names follow GLOSSARY.md.

export type Role = 'owner' | 'editor' | 'labeller' | 'viewer';
export type Scope = 'predict' | 'read' | 'write';
export type Modality = 'image' | 'text' | 'sound';

export interface Status {
  version: string;
  way: 'local' | 'team';
  needs_setup: boolean;
}

export interface Session {
  person: { id: string; name: string; role: Role };
  tenant: { id: string; name: string };
}

export interface Person {
  id: string;
  name: string;
  role: Role;
  created_at: string;
}

export interface Token {
  id: string;
  name: string;
  scopes: Scope[];
  prefix: string;
  created_at: string;
  used_at: string | null;
}

export type NewToken = Token & { secret: string };

export interface ClassCount {
  name: string;
  count: number;
}

export interface Dataset {
  id: string;
  name: string;
  modality: Modality | null;
  classes: ClassCount[];
  n_examples: number;
  n_labelled: number;
  n_problems: number;
  created_at: string;
  updated_at: string;
}

export interface Upload {
  id: string;
  dataset: string;
  files: UploadedFile[];
}

export interface UploadedFile {
  path: string;
  size: number;
}

export interface Suggestion {
  label: string;
  probability: number;
}

export interface Example {
  id: string;
  name: string;
  text: string | null;
  label: string | null;
  by: string | null;
  suggestion: Suggestion | null;
  findings: string[];
}

export interface Examples {
  total: number;
  examples: Example[];
}

export interface Problem {
  place: string;
  message: string;
}

export interface Labelled {
  event: string;
  n_labelled: number;
  warning: string | null;
}

export interface Undone {
  example: Example;
  undone: string | null;
}

export interface Queue {
  examples: Example[];
  why: string;
}

/** A value with its 95 % interval, all within 0..1, and the number of examples it rests on. */
export interface Estimate {
  value: number;
  low: number;
  high: number;
  n: number;
}

export interface LivePoint {
  n_labelled: number;
  accuracy: Estimate;
}

export interface Live {
  state: 'looking' | 'too_few' | 'ready';
  looked: { done: number; total: number };
  n_labelled: number;
  accuracy: Estimate | null;
  chance: number | null;
  history: LivePoint[];
  missing: string | null;
}

export interface LabelEvent {
  event: string;
  example: { id: string; name: string };
  label: string | null;
  before: string | null;
  by: string;
  at: string;
  undone: boolean;
}

export interface Advice {
  sentence: string;
  action: string;
  n: number;
  gain: { value: number; low: number; high: number };
  minutes: number;
}

export interface Check {
  fault: string;
  title: string;
  flagged: number;
  n: number;
}

export type Decision = 'relabel' | 'keep' | 'remove';
export type Decided = 'relabelled' | 'kept' | 'removed';

export interface Finding {
  number: number;
  fault: string;
  title: string;
  action: string;
  action_text: string;
  about: string | null;
  given: string | null;
  suggested: string | null;
  score: number;
  examples: Example[];
  neighbours: { example: Example; distance: number }[];
  decision: Decided | null;
}

export interface Worklist {
  audited_at: string | null;
  stale: boolean;
  advice: Advice[];
  checks: Check[];
  cautions: string[];
  findings: Finding[];
}

export type JobState = 'waiting' | 'running' | 'done' | 'failed' | 'cancelled';

export interface Job {
  id: string;
  kind: 'import' | 'look' | 'audit' | 'tune';
  dataset: string;
  state: JobState;
  step: string | null;
  done: number;
  total: number;
  error: { code: string; message: string; hint: string | null } | null;
  result: { model?: string; n_examples?: number; n_problems?: number } | null;
  created_at: string;
  ended_at: string | null;
}

export interface Measure {
  metric: string;
  on: string;
  estimate: Estimate;
}

export interface Model {
  id: string;
  name: string;
  dataset: string;
  modality: Modality;
  classes: string[];
  base: string;
  recipe: string;
  why: string;
  size_bytes: number;
  created_at: string;
  n_examples: number;
  measures: Measure[];
  recall: { class: string; estimate: Estimate }[];
  promise: { target_error: number; threshold: number; answered: number } | null;
  deployed_as: string[];
}

/** At this confidence threshold: the share answered, the share of the answers that is wrong, and its upper bound. */
export interface TradePoint {
  threshold: number;
  answered: number;
  errors: number;
  errors_high: number;
}

export interface ModelErrors {
  confusion: { classes: string[]; counts: number[][] };
  trade: TradePoint[];
}

export type Verdict = 'answered' | 'unproven' | 'dont-know' | 'unfamiliar';

export interface Predicted {
  name: string;
  answer: string | null;
  verdict: Verdict | null;
  confidence: number | null;
  probs: { class: string; probability: number }[];
  familiarity: number | null;
  problem: string | null;
}

export interface Deployment {
  name: string;
  model: Model;
  previous: string | null;
  url: string;
  created_at: string;
  n_requests: number;
  latency_ms_p50: number | null;
}

export interface Failure {
  code: string;
  message: string;
  hint: string | null;
  request_id: string;
  /** Only with `wrong_offset`: how many bytes the server already has. */
  size?: number;
}
