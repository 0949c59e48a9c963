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
export type Modality = 'image' | 'text' | 'sound' | 'video' | 'series' | 'senses';
/** One of several kinds of content that examples have, by the name of its column. */
export type Sense = Narrow<Answer<'Sense'>, { modality: Modality }>;
/** What is asked of each example: one class of several, any number of labels, or a number. */
export type Task = 'class' | 'classes' | 'number';

export type Status = Narrow<Answer<'Status'>, { way: 'local' | 'team' }>;
export type Session = Answer<'Session'>;
export type Person = Answer<'Person'>;
export type Away = Answer<'Away'>;
export type Usage = Answer<'Usage'>;
export type Token = Answer<'Token'>;
export type TrailEntry = Answer<'Entry'>;
export type Seal = Answer<'Seal'>;
export type NewToken = Answer<'FreshToken'>;

export type ClassCount = Answer<'Class'>;
export type Dataset = Narrow<Answer<'Dataset'>, { modality: Modality | null; senses: Sense[]; task: Task }>;
export type ExportFormats = Answer<'Formats'>;
/** All examples as points of the plane, x and y in [0, 1]; labels and suggestions are places in `classes`. */
export type Spots = Narrow<Answer<'Map'>, { state: 'looking' | 'ready' }>;
/** `job` reads it, from when it was finished. */
export type Upload = Answer<'Upload'>;
export type UploadedFile = Answer<'Arrived'>;
export type Sensed = Narrow<Answer<'Sensed'>, { modality: Modality }>;
export type Example = Narrow<Answer<'Example'>, { marks: readonly Mark[]; own_marks: { marks: readonly Mark[]; event: number } | null; senses: Sensed[] }>;
/** What the quick model would answer; only what the task asks for is there. */
export type Suggestion = Answer<'Suggestion'>;
/** A series thinned out: least and greatest value of equal pieces, null where none is there. */
export type Course = Narrow<Answer<'Course'>, { channels: { name: string; values: (readonly [number, number] | null)[] }[] }>;
/** How an inspector sees an example that we have. */
export type SeenExample = Narrow<Answer<'SeenExample'>, { inspected: Inspected }>;
/** How it looked to those that the inspector was measured by. */
export type MeasuredView = Narrow<Answer<'MeasuredView'>, { outlines: [number, number][][]; size: [number, number] | null }>;
/** What may be marked on an example, for a person to accept. */
export type SuggestedMark = Narrow<Answer<'SuggestedMark'>, { mark: Mark }>;
export type SuggestedMarks = Narrow<Answer<'SuggestedMarks'>, { marks: SuggestedMark[] }>;
export type Examples = Narrow<Answer<'Page'>, { examples: Example[] }>;
export type Problem = Answer<'Problem'>;

export type { Mark, Shape } from './marks';
/** What belongs into a class, and what does not. */
export type ClassNote = Answer<'ClassNote'>;
export type BookExemplar = Narrow<Answer<'BookExemplar'>, { example: Example }>;
export type BookRule = Narrow<Answer<'BookRule'>, { exemplars: BookExemplar[] }>;
export type LabelBook = Narrow<Answer<'LabelBook'>, { rules: BookRule[] }>;
/** A rule that speaks against a label; it asks for another, or says that such examples are not used. */
export type BrokenRule = Narrow<Answer<'BrokenRule'>, { rule: BookRule }>;
/** Two classes that contradict each other, and what a rule may say about it. */
export type Conflict = Answer<'Conflict'>;
export type RuleChoice = 'all_a' | 'all_b' | 'split' | 'new_class' | 'exclude';

export type BrokenByMany = Narrow<Answer<'BrokenByMany'>, { rule: BookRule }>;
export type LabelledMany = Narrow<Answer<'TakenMany'>, { broken: BrokenByMany[] }>;
export type Origin = Schemas['Origin'];
export type Labelled = Narrow<Answer<'Taken'>, { broken: BrokenRule | null }>;
export type MarksTaken = Answer<'Kept'>;
export type Undone = Narrow<Answer<'Undone'>, { example: Example; what: 'label' | 'marks' | 'presence' }>;
export type Removed = Answer<'Removed'>;
export type NewKey = Answer<'NewKey'>;
export type Queue = Narrow<Answer<'Queue'>, { examples: Example[] }>;
export type LabelEvent = Answer<'LabelEvent'> & { what: 'label' | 'marks' | 'marking' | 'presence' };
/** A value with its 95 % interval and the number of examples it rests on. */
export type Estimate = Answer<'Measure'>;
export type LivePoint = Answer<'Past'>;
export type Live = Narrow<Answer<'Live'>, { state: 'looking' | 'too_few' | 'ready'; metric: 'accuracy' | 'label-accuracy' | 'mae' }>;

export type Annotator = Answer<'Annotator'>;
/** Words of one person; several labels stand with commas between them. */
export type Vote = Answer<'Vote'>;
export type Dispute = Narrow<Answer<'Dispute'>, { example: Example }>;
export type Agreement = Narrow<Answer<'Agreement'>, { disputes: Dispute[] }>;
export type Marker = Narrow<Answer<'Marker'>, { marks: readonly Mark[] }>;
/** What each of several people marked on an example, and what most of them found. */
export type MarkingList = Narrow<Answer<'MarkingList'>, { people: Marker[]; most: { mark: Mark; n: number }[] }>;
export type Taking = Schemas['Taking'];
export type MarksDispute = Narrow<Answer<'MarksDispute'>, { example: Example }>;
export type MarksAgreement = Narrow<Answer<'MarksAgreement'>, { disputes: MarksDispute[] }>;

/** A state of the data, with what happened at it and who changed what since the one before. */
export type Point = Narrow<Answer<'Point'>, { events: Happened[]; changes: Did[] }>;
export type Happened = Narrow<Answer<'Happened'>, { kind: 'import' | 'tune' | 'audit' | 'rename' | 'name' | 'restore' | 'left' }>;
export type Did = Narrow<Answer<'Did'>, { what: 'label' | 'marks' | 'marking' | 'presence'; act: string }>;
export type DiffKind = 'added' | 'removed' | 'relabelled' | 'marked';
export type DiffGroup = Narrow<Answer<'DiffGroup'>, { kind: DiffKind }>;
export type Diff = Narrow<Answer<'Diff'>, { groups: DiffGroup[] }>;
export type Different = Answer<'DifferentExample'>;
/** What going back to a state changed. */
export type Restored = Answer<'Restored'>;
export type Lineage = Answer<'Lineage'>;
export type Teacher = Narrow<Answer<'Teacher'>, { example: Example }>;
export type Nearest = Narrow<Answer<'Nearest'>, { state: 'looking' | 'ready' | 'none'; inputs: Teacher[][] }>;
export type Followed = Narrow<Answer<'Followed'>, { realised: OnTheSame | null }>;

export type Decision = 'relabel' | 'keep' | 'remove' | 'rule';
export type Decided = 'relabelled' | 'kept' | 'removed' | 'ruled';
export type Neighbour = Narrow<Answer<'Neighbour'>, { example: Example }>;
export type Finding = Narrow<Answer<'Finding'>, { decision: Decided | null; examples: Example[]; neighbours: Neighbour[] }>;
export type FindingKind = Answer<'Kind'>;
/** By what advice is measured, as it is for one class an example, for sets of labels and for numbers. */
export type Metric = 'accuracy' | 'jaccard' | 'r2';
export type Advice = Narrow<Answer<'Advice'>, { metric: Metric }>;
export type Worklist = Narrow<Answer<'Worklist'>, { findings: Finding[]; advice: Advice[] }>;

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
export type Model = Narrow<Answer<'Model'>, { modality: Modality; senses: Sense[]; kind: 'answers' | 'inspector' }>;
export type TradePoint = Answer<'Trade'>;
/** At most this share of the answers is wrong, with 95 % confidence, when the model answers from this threshold on. */
export type Proved = Answer<'Promise'>;
/** A part whose photo an inspector saw; without an id where it is no longer there. */
export type Part = Answer<'Part'>;
/** Advice is in English and in Chinese. */
export type Inspection = Narrow<Answer<'InspectionErrors'>, { advice: [string, string][] }>;
export type ModelErrors = Narrow<Answer<'Errors'>, { inspection: Inspection | null; advice: [string, string][]; curve: Curve | null }>;
/** Accuracy by number of labels: as it was measured, and as it is expected to go on. */
export type Curve = Answer<'Curve'>;
export type CurvePoint = Answer<'CurvePoint'>;
export type Comparison = Narrow<Answer<'Comparison'>, { same: OnTheSame | null; taught: { dataset: string; from: number; to: number } | null }>;
/** Two models on the same examples. */
export type OnTheSame = Answer<'OnTheSame'>;
export type Deployment = Narrow<Answer<'Deployment'>, { model: Model }>;

export type Verdict = 'answered' | 'unproven' | 'dont-know' | 'unfamiliar';
export type Region = Narrow<Answer<'Region'>, { points: [number, number][]; seconds: [number, number] | null }>;
export type Inspected = Narrow<Answer<'Inspected'>, { regions: Region[] }>;
/** A part of a long sound with one answer. */
export type ToldStretch = Narrow<Answer<'ToldStretch'>, { verdict: Verdict; seconds: [number, number] }>;
export type Predicted = Narrow<Answer<'Predicted'>, { verdict: Verdict | null; inspected: Inspected | null; stretches: ToldStretch[] }>;

/** Requests of one day under a name. */
export type Day = Answer<'Counts'>;
export type Drift = Answer<'Drift'>;
export type Mix = Answer<'Mix'>;
export type Shadow = Answer<'Shadow'>;
export type Monitor = Answer<'Monitor'>;

export type Failure = Answer<'ErrorBody'>;
