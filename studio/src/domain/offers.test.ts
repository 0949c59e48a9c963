import { expect, test } from 'vitest';
import type { Mark, SuggestedMark } from '../api/types';
import { boxAround, covered, isMarked, isWhole, overlap, painted, shapedFor, stillOpen } from './offers';
import { decode } from './runs';
import { contains, type Polygon } from './shapes';
import { Counted, wordsOf } from './spans';

const size = { width: 20, height: 12 };
const triangle: Polygon = { class: 'dent', shape: 'polygon', points: [[2, 2], [14, 2], [2, 11]], suggested_by: 'm1' };
const span = (start: number, end: number, by?: string): Mark => ({ class: 'city', shape: 'span', start, end, ...(by ? { suggested_by: by } : {}) });
const offer = (mark: Mark): SuggestedMark => ({ mark, score: null, times: null, confidence: null });
const segment = (start: number, end: number): Mark => ({ class: 'cough', shape: 'segment', start, end });

test('what is marked already is not offered again, whatever its shape and class', () => {
  expect(overlap({ x: 0, y: 0, width: 10, height: 10 }, { x: 5, y: 0, width: 10, height: 10 })).toBeCloseTo(1 / 3);
  expect(isMarked(triangle, [{ class: 'x', shape: 'box', x: 3, y: 2, width: 11, height: 9 }])).toBe(true);
  expect(isMarked(triangle, [{ class: 'x', shape: 'box', x: 10, y: 2, width: 10, height: 9 }])).toBe(false);
  expect([isMarked(span(4, 8), [span(7, 12)]), isMarked(span(4, 8), [span(8, 12)]), isMarked(span(4, 8), [])]).toEqual([true, false, false]);
});

test('a stretch of sound is marked already when half of it is, by however many marks', () => {
  expect(covered({ start: 2, end: 6 }, [segment(0, 3), segment(2.5, 3.5), segment(5, 9), span(0, 9)])).toBeCloseTo(2.5 / 4);
  expect([isMarked(segment(2, 6), [segment(3, 5)]), isMarked(segment(2, 6), [segment(3, 4.9)]), isMarked(segment(2, 6), [])]).toEqual([true, false, false]);
});

test('what was refused or cuts a word is not offered', () => {
  const words = wordsOf(new Counted('Rome and Romeo'), 'en');
  expect([isWhole({ start: 0, end: 4 }, words), isWhole({ start: 9, end: 13 }, words)]).toEqual([true, false]);
  const all = [span(0, 4), span(5, 8), span(9, 13)].map(offer);
  expect(stillOpen(all, new Set(all.slice(1, 2)), [], words)).toEqual(all.slice(0, 1));
  expect(stillOpen(all, new Set(), [span(0, 2)], words)).toEqual(all.slice(1, 2));
});

test('a region becomes what the tool in hand makes, and says where it came from', () => {
  expect(shapedFor('box', triangle, size, true)).toEqual({ class: 'dent', shape: 'box', x: 2, y: 2, width: 12, height: 9, suggested_by: 'm1' });
  expect(shapedFor('polygon', triangle, size, true)).toBe(triangle);
  expect(shapedFor('brush', triangle, size, false)).toBe(triangle);
  expect(shapedFor('brush', triangle, size, true)).toMatchObject({ shape: 'brush', class: 'dent', suggested_by: 'm1', ...size });
  expect(boxAround(triangle)).not.toHaveProperty('points');
});

test('a brush paints the pixels whose middle is inside, by the even-odd rule', () => {
  const crossed: Polygon = { class: null, shape: 'polygon', points: [[1, 1], [11, 1], [11, 9], [4, 9], [4, 4], [8, 4], [8, 12], [1, 12]] };
  for (const shape of [triangle, crossed]) {
    const brush = painted(shape, size);
    const mask = decode(brush?.runs ?? [], size);
    const expected = Uint8Array.from({ length: size.width * size.height }, (_, at) => Number(contains(shape.points, [(at % size.width) + 0.5, Math.floor(at / size.width) + 0.5])));
    expect([...mask]).toEqual([...expected]);
  }
  expect(painted({ class: null, shape: 'polygon', points: [[30, 1], [40, 1], [40, 9]] }, size)).toBe(null);
});
