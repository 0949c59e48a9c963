// How far people agree and how deployments do, until the server's own description has it. Each type goes away when
// `npm run api` brings it.

import type { Estimate, Example } from './types';

export interface Dataset {
  /** People that are asked about each example; of more than one, what most of them say holds. */
  annotators: number;
  /** Labellers see neither others' answers nor the model's. */
  blind: boolean;
}

export interface Agreement {
  /** Krippendorff's alpha; null while no example has two answers, or only one answer was ever given. */
  alpha: Estimate | null;
  /** Who answered most, first. */
  people: Annotator[];
  n_disputed: number;
  /** The least decided first; at most 200. */
  disputes: Dispute[];
}

export interface Annotator {
  name: string;
  n_votes: number;
  /** Expected share of right answers, by what everybody together says; null while no example has two answers. */
  accuracy: Estimate | null;
  /** What they confuse most: expected number of times. */
  confusions: { truth: string; said: string; times: number }[];
}

export interface Dispute {
  example: Example;
  votes: Vote[];
  /** The most probable answer, given how good each person is, in words. */
  best: string;
  probability: number;
}

export interface Vote {
  by: string;
  /** In words: several labels stand with commas between them. */
  label: string;
}

export interface Deployment {
  /** A model that is asked as well and never answers. */
  shadow: string | null;
  /** When it was noticed that inputs are no longer like what the model learned from. */
  changed_at: string | null;
}

export interface Monitor {
  /** The oldest first; days on which nothing was asked are left out. */
  days: Day[];
  drift: Drift;
  /** Null where the model does not say what it expects, as inspectors and models from elsewhere. */
  mix: Mix | null;
  shadow: Shadow | null;
}

export interface Day {
  /** `2026-11-26`, in universal time. */
  day: string;
  n_requests: number;
  /** Of inputs, the most frequent first. */
  answers: { answer: string; count: number }[];
  /** Inputs that a person should look at. */
  n_doubtful: number;
  latency_ms_p50: number | null;
  latency_ms_p95: number | null;
}

export interface Drift {
  /** Inputs that were looked at. */
  n: number;
  /** Against "nothing changed": 1 is none; above 100 counts as a change. */
  evidence: number;
  changed_at: string | null;
}

/** Of the last seven days with requests, beside what was answered about examples the model had not seen. */
export interface Mix {
  classes: string[];
  expected: number[];
  observed: number[];
  /** Null with too few answers. */
  p_value: number | null;
}

export interface Shadow {
  model: string;
  /** Inputs on which both were asked. */
  n: number;
  same: number;
}
