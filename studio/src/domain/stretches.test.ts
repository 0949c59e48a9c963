import { expect, test } from 'vitest';
import type { ToldStretch } from '../api/types';
import { bars, heardAt } from './stretches';

function stretch(from: number, to: number, answer: string, verdict: ToldStretch['verdict'] = 'answered'): ToldStretch {
  return { seconds: [from, to], answer, verdict, confidence: 0.9, probs: [], familiarity: null };
}

const said = [stretch(0, 2, 'hum'), stretch(2, 3, 'knock'), stretch(3, 4, 'hum', 'dont-know'), stretch(4, 8, 'hum', 'unproven')];

test('each answer has one colour, and what the model does not stand behind has none', () => {
  expect(bars(said).map(({ place }) => place)).toEqual([0, 1, -1, 0]);
  expect(bars(said).map(({ from, length }) => [from, length])).toEqual([
    [0, 0.25],
    [0.25, 0.125],
    [0.375, 0.125],
    [0.5, 0.5],
  ]);
  expect(bars([])).toEqual([]);
});

test('a time belongs to one stretch', () => {
  expect([0, 1.99, 2, 7.9, 8].map((time) => heardAt(said, time))).toEqual([0, 0, 1, 3, -1]);
});
