// What the server says, by the names the studio uses. The shapes are generated from the server's own description
// (`npm run api`); here only what a description cannot say is made narrower: which words a field can hold.

import type { Mark } from './marks';
import type { components } from './schema';

type Schemas = components['schemas'];

/** The server leaves no field out of an answer: what may be missing is null. */
type Told<T> = T extends readonly (infer Item)[]
  ? Told<Item>[]
  : T extends object
    ? { [Key in keyof T]-?: Told<Exclude<T[Key], undefined>> }
    : T;

type Narrow<T, Narrower> = Omit<T, keyof Narrower> & Narrower;
type Answer<Name extends keyof Schemas> = Told<Schemas[Name]>;

export type Role = Schemas['Role'];
export type Scope = Schemas['Scope'];
export type Modality = 'image' | 'text' | 'sound';
/** What is asked of each example: one class of several, any number of labels, or a number. */
export type Task = 'class' | 'classes' | 'number';

export type Status = Narrow<Answer<'Status'>, { way: 'local' | 'team' }>;
export type Session = Answer<'Session'>;
export type Person = Answer<'Person'>;
export type Token = Answer<'Token'>;
export type TrailEntry = Answer<'Entry'>;
export type NewToken = Answer<'FreshToken'>;

export type ClassCount = Answer<'Class'>;
export type Dataset = Narrow<Answer<'Dataset'>, { modality: Modality | null; task: Task }>;
export type ExportFormats = Answer<'Formats'>;
/** All examples as points of the plane, x and y in [0, 1]; labels and suggestions are places in `classes`. */
export type Spots = Narrow<Answer<'Map'>, { state: 'looking' | 'ready' }>;
export type Upload = Answer<'Upload'>;
export type UploadedFile = Answer<'Arrived'>;
export type Example = Narrow<Answer<'Example'>, { marks: readonly Mark[] }>;
export type Examples = Narrow<Answer<'Page'>, { examples: Example[] }>;
export type Problem = Answer<'Problem'>;

export type { Mark, Shape } from './marks';
export type Labelled = Answer<'Taken'>;
export type MarksTaken = Answer<'Kept'>;
export type Undone = Narrow<Answer<'Undone'>, { example: Example; what: 'label' | 'marks' }>;
export type Queue = Narrow<Answer<'Queue'>, { examples: Example[] }>;
export type LabelEvent = Answer<'LabelEvent'> & { what: 'label' | 'marks' };
/** A value with its 95 % interval and the number of examples it rests on. */
export type Estimate = Answer<'Measure'>;
export type LivePoint = Answer<'Past'>;
export type Live = Narrow<Answer<'Live'>, { state: 'looking' | 'too_few' | 'ready' }>;

export type Annotator = Answer<'Annotator'>;
/** Words of one person; several labels stand with commas between them. */
export type Vote = Answer<'Vote'>;
export type Dispute = Narrow<Answer<'Dispute'>, { example: Example }>;
export type Agreement = Narrow<Answer<'Agreement'>, { disputes: Dispute[] }>;

export type Decision = 'relabel' | 'keep' | 'remove';
export type Decided = 'relabelled' | 'kept' | 'removed';
export type Neighbour = Narrow<Answer<'Neighbour'>, { example: Example }>;
export type Finding = Narrow<Answer<'Finding'>, { decision: Decided | null; examples: Example[]; neighbours: Neighbour[] }>;
export type Worklist = Narrow<Answer<'Worklist'>, { findings: Finding[] }>;

export type JobState = 'waiting' | 'running' | 'done' | 'failed' | 'cancelled';
export type Job = Narrow<
  Answer<'Job'>,
  {
    kind: 'import' | 'audit' | 'tune';
    state: JobState;
    result: { model?: string; n_examples?: number; n_problems?: number } | null;
  }
>;

export type Measured = Answer<'Measured'>;
export type Model = Narrow<Answer<'Model'>, { modality: Modality; kind: 'answers' | 'inspector' }>;
export type TradePoint = Answer<'Trade'>;
/** At most this share of the answers is wrong, with 95 % confidence, when the model answers from this threshold on. */
export type Proved = Answer<'Promise'>;
/** A part whose photo an inspector saw; without an id where it is no longer there. */
export type Part = Answer<'Part'>;
/** Advice is in English and in Chinese. */
export type Inspection = Narrow<Answer<'InspectionErrors'>, { advice: [string, string][] }>;
export type ModelErrors = Narrow<Answer<'Errors'>, { inspection: Inspection | null }>;
export type Deployment = Narrow<Answer<'Deployment'>, { model: Model }>;

export type Verdict = 'answered' | 'unproven' | 'dont-know' | 'unfamiliar';
export type Region = Narrow<Answer<'Region'>, { points: [number, number][] }>;
export type Inspected = Narrow<Answer<'Inspected'>, { regions: Region[] }>;
export type Predicted = Narrow<Answer<'Predicted'>, { verdict: Verdict | null; inspected: Inspected | null }>;

/** Requests of one day under a name. */
export type Day = Answer<'Counts'>;
export type Drift = Answer<'Drift'>;
export type Mix = Answer<'Mix'>;
export type Shadow = Answer<'Shadow'>;
export type Monitor = Answer<'Monitor'>;

export type Failure = Answer<'ErrorBody'>;
