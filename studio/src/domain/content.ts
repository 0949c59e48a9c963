// What an example is shown by: itself, or what each of its senses knows.

import type { Example, Modality, Sense } from '../api/types';

export interface Face {
  /** Of the example. */
  id: string;
  name: string;
  modality: Modality | null;
  /** Which of several; null where the example is one thing. */
  sense: string | null;
  text: string | null;
}

export function faceOf(example: Example, modality: Modality | null): Face {
  return { id: example.id, name: example.name, modality, sense: null, text: example.text };
}

/** The senses of a dataset in their order, each with what is there of this example; null where it is missing. */
export function facesOf(example: Example, senses: readonly Sense[]): { sense: Sense; face: Face | null }[] {
  return senses.map((sense) => {
    const there = example.senses.find((one) => one.sense === sense.name);
    const face = there ? { id: example.id, name: `${example.name}, ${sense.name}`, modality: there.modality, sense: sense.name, text: there.text } : null;
    return { sense, face };
  });
}

/** What a picture is shown by: its file, a large JPEG of the server's where this browser cannot draw that (a TIFF), or nothing. */
export type Shown = 'file' | 'large' | 'nothing';

/** What comes next where one of them cannot be drawn. */
export function insteadOf(shown: Shown): Shown {
  return shown === 'file' ? 'large' : 'nothing';
}

/** Whether a small picture can stand for it. */
export function hasPicture(example: Example, modality: Modality | null): boolean {
  return modality === 'senses' ? example.senses.some((one) => one.modality !== 'text') : modality !== 'text';
}

/** Whether one picture is too little to decide by. */
export function needsRoom(modality: Modality | null): boolean {
  return modality === 'video' || modality === 'series' || modality === 'senses';
}

/** Boxes, spans and segments have a place on pictures, texts and sounds only. */
export function canBeMarked(modality: Modality | null): boolean {
  return modality === 'image' || modality === 'text' || modality === 'sound';
}

/** What a browser's file picker offers. */
export function acceptOf(modality: Modality): string {
  if (modality === 'sound') return 'audio/*';
  if (modality === 'video') return 'video/*,.mkv,.avi,.mpg,.mpeg,.gif';
  if (modality === 'series') return '.csv,.tsv,.json,.jsonl,.parquet';
  return 'image/*';
}
