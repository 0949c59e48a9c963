import { expect, test } from 'vitest';
import type { Day } from '../api/types';
import { changedAt, evidenceShare, evidenceText, everyDay, milliseconds, mixRows, mixWord, niceTop, pText, shadowsFor, streamOf, totals, wilson } from './monitor';
import { parseRoute, toDeployment } from './route';

const day = (at: string, n_requests: number, counts: Record<string, number> = {}, n_doubtful = 0): Day => ({
  day: at, n_requests, n_doubtful, latency_ms_p50: 1, latency_ms_p95: 2,
  answers: Object.entries(counts).map(([answer, count]) => ({ answer, count })),
});

// Newcombe 1998, "Two-sided confidence intervals for the single proportion", table I, method 3.
test.each([
  [81, 263, 0.2553, 0.3662],
  [15, 148, 0.0624, 0.1605],
  [0, 20, 0, 0.1611],
  [1, 29, 0.0061, 0.1718],
])('%d of %d lies between %d and %d', (count, n, low, high) => {
  const found = wilson(count, n);
  expect(found?.low).toBeCloseTo(low, 4);
  expect(found?.high).toBeCloseTo(high, 4);
});

test('the interval of all is that of none, turned around; of nothing there is none', () => {
  const [all, none] = [wilson(20, 20), wilson(0, 20)];
  expect(all?.high).toBe(1);
  expect(all?.low).toBeCloseTo(1 - (none?.high ?? 0), 12);
  expect(wilson(0, 0)).toBeNull();
});

test('days without requests stand between the others, up to today', () => {
  const days = everyDay([day('2026-02-27', 3), day('2026-03-01', 5)], 4, Date.parse('2026-03-01T23:59:00Z'));
  expect(days.map((one) => [one.day, one.n_requests])).toEqual([['2026-02-26', 0], ['2026-02-27', 3], ['2026-02-28', 0], ['2026-03-01', 5]]);
});

test('doubtful inputs are a share of inputs, not of requests', () => {
  const found = totals([day('2026-03-01', 1, { cat: 60, dog: 20 }, 8), day('2026-03-02', 1, { cat: 20 }, 2)]);
  expect([found.n_requests, found.n_inputs, found.doubtful?.value, found.doubtful?.n]).toEqual([2, 100, 0.1, 100]);
  expect(totals([]).doubtful).toBeNull();
});

test.each([[0, 1], [1, 1], [3, 3], [7, 8], [12, 20], [258, 300], [801, 1000], [0.35, 0.4]])('an axis up to %d ends at %d', (most, top) => expect(niceTop(most)).toBeCloseTo(top, 12));

test('times in milliseconds, and in seconds when they are long', () => {
  expect([0.149, 3.36, 87.2, 1234].map((ms) => milliseconds(ms, 'en'))).toEqual(['0.15 ms', '3.4 ms', '87 ms', '1.2 s']);
});

test('what was noticed stays noticed, also when the evidence falls again', () => {
  const of = (n: number, changed_at: string | null, seen_at: string | null = null) => ({ n, evidence: 2, changed_at, seen: { n, evidence: 1, changed_at: seen_at, senses: [] } });
  const [first, later] = ['2026-11-26T12:00:00Z', '2026-11-27T08:00:00Z'];
  expect([of(0, null), of(9, null), of(9, first), of(9, null, later)].map(streamOf)).toEqual(['unseen', 'same', 'changed', 'changed']);
  expect([of(9, null), of(9, later, first), of(9, first, later)].map(changedAt)).toEqual([null, first, first]);
});

test('evidence in numbers that can be read', () => expect([1, 2.74, 48211.4, 1e9].map((one) => evidenceText(one, 'en'))).toEqual(['1', '2.7', '48,000', '> 1,000,000']));

test('evidence counts by factors', () => expect([0.2, 1, Math.sqrt(200), 200, 1e9].map((one) => evidenceShare(one).toFixed(12))).toEqual([0, 0, 0.5, 1, 1].map((share) => share.toFixed(12))));

test('a difference of the mix in words', () => {
  expect([null, 0.2, 0.001, 0.0009].map(mixWord)).toEqual(['few', 'same', 'same', 'differs']);
  expect([0.2345, 0.0005, 1e-9].map((p) => pText(p, 'en'))).toEqual(['p = 0.23', 'p = 0.0005', 'p < 0.0001']);
});

test('classes that moved most stand first', () => {
  const rows = mixRows({ classes: ['a', 'b', 'c'], expected: [50, 25, 25], observed: [5, 3, 2], p_value: null });
  expect(rows.map((row) => row.class)).toEqual(['b', 'c', 'a']);
  expect(mixRows({ classes: ['a'], expected: [0], observed: [0], p_value: null })).toEqual([{ class: 'a', expected: 0, observed: 0 }]);
});

test('a shadow takes the same kind of input and is another model', () => {
  const of = (id: string, modality: 'image' | 'text' | 'senses', names: string[] = []) => ({ id, modality, senses: names.map((name) => ({ name, modality: 'image' as const })) });
  const [a, b, c] = [of('a', 'image'), of('b', 'image'), of('c', 'text')];
  expect(shadowsFor([a, b, c], a)).toEqual([b]);
  const [d, e, f] = [of('d', 'senses', ['left', 'right']), of('e', 'senses', ['right', 'left']), of('f', 'senses', ['left'])];
  expect(shadowsFor([d, e, f], d)).toEqual([e]);
});

test('the address of a deployment', () => {
  expect(parseRoute(toDeployment('a b'))).toEqual({ page: 'deployments', name: 'a b' });
  expect(parseRoute('#/deployments')).toEqual({ page: 'deployments', name: null });
});
