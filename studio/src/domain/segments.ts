// Marks in sounds, in seconds.

import type { Mark } from '../api/types';

export type Segment = Extract<Mark, { shape: 'segment' }>;

/** Shorter than this was a slip of the hand. */
export const SHORTEST = 0.02;

export function segmentBetween(a: number, b: number, seconds: number, name: string | null): Segment {
  const [start, end] = a < b ? [a, b] : [b, a];
  return { class: name, shape: 'segment', start: hundredth(Math.max(0, start)), end: hundredth(Math.min(seconds, end)) };
}

/** With its start or its end at another time; the other stays, and the segment keeps some length. */
export function edgeTo(mark: Segment, edge: 'start' | 'end', time: number, seconds: number): Segment {
  const at = hundredth(Math.max(0, Math.min(seconds, time)));
  if (edge === 'start') return { ...mark, start: Math.min(at, hundredth(mark.end - SHORTEST)) };
  return { ...mark, end: Math.max(at, hundredth(mark.start + SHORTEST)) };
}

export function movedTo(mark: Segment, start: number, seconds: number): Segment {
  const length = mark.end - mark.start;
  const from = Math.max(0, Math.min(seconds - length, start));
  return { ...mark, start: hundredth(from), end: hundredth(from + length) };
}

export function hundredth(value: number): number {
  return Math.round(value * 100) / 100;
}

/** 3.25 s, 1:03.5 */
export function clock(seconds: number): string {
  const minutes = Math.floor(seconds / 60);
  const rest = (seconds - minutes * 60).toFixed(2);
  return minutes > 0 ? `${minutes}:${rest.padStart(5, '0')}` : rest;
}

/** Distance of the lines of a ruler: 1, 2 or 5 of a decimal unit, at most `most` of them. */
export function rulerStep(seconds: number, most: number): number {
  const least = seconds / most;
  const unit = 10 ** Math.floor(Math.log10(least));
  return unit * ([1, 2, 5, 10].find((n) => n * unit >= least) ?? 10);
}
