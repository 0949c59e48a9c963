// What the server is learning to say, until its own description has it. Each type goes away when `npm run api` brings it.

export type Task = 'class' | 'classes' | 'number';

/** What is marked on an example: areas in pixels of the picture, spans in Unicode scalar values, segments in seconds. */
export type Mark = { class: string | null } & Shape;

export type Shape =
  | { shape: 'box'; x: number; y: number; width: number; height: number }
  | { shape: 'polygon'; points: [number, number][] }
  /** Row-major run lengths over the whole picture, beginning with unmarked pixels. */
  | { shape: 'brush'; width: number; height: number; runs: number[] }
  /** The end is one past the last. */
  | { shape: 'span'; start: number; end: number }
  | { shape: 'segment'; start: number; end: number };

export interface MarksTaken {
  event: number;
  n_marked: number;
}

export interface Dataset {
  task: Task;
  n_marked: number;
  /** Range of the values so far. */
  number: { low: number; high: number } | null;
  /** Photos with a class that names good parts: tuning makes an inspector. */
  inspects: boolean;
}

export interface Example {
  /** Of the task `classes`; empty where none applies. */
  labels: string[] | null;
  number: number | null;
  marks: readonly Mark[];
  width: number | null;
  height: number | null;
}

export interface ExportFormats {
  /** `fits`: whether it can hold the dataset at all; `why`: what would be lost or changed; `with_files`: always comes with the files. */
  formats: { format: string; title: string; fits: boolean; why: string | null; with_files: boolean }[];
}

interface Measure {
  value: number;
  low: number;
  high: number;
  n: number;
}

export interface Model {
  kind: 'answers' | 'inspector';
  inspector: {
    false_alarms: number;
    /** Null where it is not known, of a model made elsewhere. */
    confidence: number | null;
    proven: boolean;
    /** The smallest rate that these good parts could prove, where the wished one is not proven. */
    best_rate: number | null;
    /** Good parts that would prove the wished rate. */
    need: number | null;
    n_good: number;
    threshold: number;
  } | null;
}

/** A part whose photo an inspector saw. */
export interface Part {
  name: string;
  /** Its id, if it is still there. */
  example: string | null;
  kind: string | null;
  score: number;
  p_value: number | null;
}

export interface Inspection {
  trade: { threshold: number; false_alarms: number; missed: number }[];
  kinds: { kind: string; found: Measure }[];
  missed: Part[];
  alarmed_good: Part[];
  /** Good parts that look unlike the others. */
  suspects: Part[];
  /** What to photograph next, most useful first, in English and Chinese. */
  advice: [string, string][];
}

export interface Inspected {
  alarm: boolean;
  score: number;
  threshold: number;
  p_value: number;
  kind: string | null;
  /** Whether it is like none of the kinds that were shown. */
  never_seen: boolean;
  width: number;
  height: number;
  regions: { points: [number, number][]; area: number; peak: number }[];
  /** The heat over the grey photo, as a `data:` address; with `?heat=1` only. */
  overlay: string | null;
}

/** All examples as points of the plane, x and y in [0, 1]. */
export interface Spots {
  state: 'looking' | 'ready';
  ids: string[];
  x: number[];
  y: number[];
  /** Index into `classes`. */
  labels: (number | null)[];
  classes: string[];
  suggestions: (number | null)[];
}
