// Marks in texts. The server counts characters as Unicode scalar values; the browser counts UTF-16 units, of which an
// emoji has two. Only this file knows both.

import type { Mark } from '../api/types';

export type Span = Extract<Mark, { shape: 'span' }>;

export interface Stretch {
  start: number;
  /** One past the last. */
  end: number;
}

/** A text with the way between both counts. */
export class Counted {
  readonly text: string;
  /** Number of scalar values. */
  readonly length: number;
  readonly #toUnits: Uint32Array;
  readonly #toScalars: Uint32Array;

  constructor(text: string) {
    this.text = text;
    this.#toScalars = new Uint32Array(text.length + 1);
    const starts: number[] = [];
    for (let unit = 0; unit < text.length; ) {
      const wide = (text.codePointAt(unit) ?? 0) > 0xffff;
      this.#toScalars[unit] = starts.length;
      // The middle of a pair belongs to its beginning.
      if (wide) this.#toScalars[unit + 1] = starts.length;
      starts.push(unit);
      unit += wide ? 2 : 1;
    }
    this.length = starts.length;
    this.#toScalars[text.length] = starts.length;
    this.#toUnits = Uint32Array.from([...starts, text.length]);
  }

  /** Place in scalar values of a place in UTF-16 units. */
  scalar(unit: number): number {
    return this.#toScalars[Math.max(0, Math.min(this.text.length, unit))] ?? this.length;
  }

  unit(scalar: number): number {
    return this.#toUnits[Math.max(0, Math.min(this.length, scalar))] ?? this.text.length;
  }

  slice({ start, end }: Stretch): string {
    return this.text.slice(this.unit(start), this.unit(end));
  }
}

/** Words, in scalar values; what is between them belongs to none. Chinese is cut into words where the browser can. */
export function wordsOf(counted: Counted, locale: string): Stretch[] {
  const found: Stretch[] = [];
  const add = (from: number, length: number): void => void found.push({ start: counted.scalar(from), end: counted.scalar(from + length) });
  if (typeof Intl.Segmenter === 'function') {
    for (const piece of new Intl.Segmenter(locale, { granularity: 'word' }).segment(counted.text)) if (piece.isWordLike) add(piece.index, piece.segment.length);
  } else {
    for (const match of counted.text.matchAll(/[\p{L}\p{N}_]+/gu)) add(match.index, match[0].length);
  }
  return found;
}

/** Without the blanks at its ends, as a hand with a mouse takes them along; null when nothing is left. */
export function trimmed(counted: Counted, { start, end }: Stretch): Stretch | null {
  const text = counted.slice({ start, end });
  const from = counted.scalar(counted.unit(start) + text.length - text.trimStart().length);
  const to = counted.scalar(counted.unit(end) - (text.length - text.trimEnd().length));
  return from < to ? { start: from, end: to } : null;
}

export interface Piece extends Stretch {
  /** Marks over this piece, by their place in the list. */
  over: number[];
  /** Marks that begin here. */
  begins: number[];
}

/** The text cut wherever a mark begins or ends, so that each piece lies under the same marks throughout. */
export function pieces(length: number, spans: readonly Stretch[]): Piece[] {
  const inside = (at: number): number => Math.max(0, Math.min(length, at));
  const cuts = new Set([0, length]);
  for (const span of spans) cuts.add(inside(span.start)).add(inside(span.end));
  const sorted = [...cuts].sort((a, b) => a - b);
  return sorted.slice(0, -1).map((start, i) => {
    const end = sorted[i + 1] ?? length;
    const over = spans.flatMap((span, n) => (span.start <= start && span.end >= end ? [n] : []));
    return { start, end, over, begins: over.filter((n) => inside(spans[n]?.start ?? -1) === start) };
  });
}

/** A line for each mark such that those that overlap are on different ones; as few lines as possible. */
export function lanes(spans: readonly Stretch[]): number[] {
  const order = spans.map((_, i) => i).sort((a, b) => (spans[a]?.start ?? 0) - (spans[b]?.start ?? 0) || (spans[b]?.end ?? 0) - (spans[a]?.end ?? 0));
  const ends: number[] = [];
  const result = new Array<number>(spans.length).fill(0);
  for (const i of order) {
    const span = spans[i];
    if (!span) continue;
    const free = ends.findIndex((end) => end <= span.start);
    const lane = free < 0 ? ends.length : free;
    ends[lane] = span.end;
    result[i] = lane;
  }
  return result;
}

/** Where the selection goes by words: `by` words from the one it is in, or the end of it alone. */
export function stepWords(words: readonly Stretch[], now: Stretch | null, by: number, extend: boolean): Stretch | null {
  if (words.length === 0) return null;
  if (!now) return words[by > 0 ? 0 : words.length - 1] ?? null;
  const first = words.findIndex((word) => word.end > now.start);
  const last = words.findLastIndex((word) => word.start < now.end);
  const at = Math.max(0, Math.min(words.length - 1, (by > 0 || extend ? last : first) + by));
  const word = words[at];
  if (!word) return now;
  if (!extend) return word;
  return { start: now.start, end: Math.max(word.end, words[first]?.end ?? word.end) };
}

/** Words that the stretch touches, as a whole: what a person means who selects half a word. */
export function wholeWords(words: readonly Stretch[], { start, end }: Stretch): Stretch {
  const touched = words.filter((word) => word.start < end && word.end > start);
  const [first, last] = [touched[0], touched.at(-1)];
  return first && last ? { start: Math.min(start, first.start), end: Math.max(end, last.end) } : { start, end };
}
