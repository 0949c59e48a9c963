import { expect, test } from 'vitest';
import type { Finding, LivePoint, Model } from '../api/types';
import { bandPath, linePath, plainScaleOf, scaleOf, tradePath } from './chart';
import { curlFor, quote } from './curl';
import { compare, lowestProved, mayTune, measuredText, modelTitle, nearestTarget, provedFor, rowShares, targets, valueText } from './models';
import { parseRoute, toDataset } from './route';
import { asksForMore, counted, mayKeep, nextOpen, recounted, sides, undecided } from './worklist';

const estimate = (value: number, half: number) => ({ value, low: value - half, high: value + half, n: 100 });

test('advice to collect asks for examples that are not there', () =>
  expect(['collect_more', 'collect_similar', 'relabel'].map(asksForMore)).toEqual([true, true, false]));

test.each([
  ['far apart', estimate(0.9, 0.02), estimate(0.8, 0.02), 'better'],
  ['one inside the other', estimate(0.86, 0.04), estimate(0.84, 0.04), 'same'],
  ['ends overlap only', estimate(0.9, 0.04), estimate(0.84, 0.04), 'maybe'],
  ['equal', estimate(0.9, 0.04), estimate(0.9, 0.04), 'same'],
])('two models %s', (_, higher, lower, result) => expect(compare(higher, lower)).toBe(result));

const promises = [
  { target_error: 0.2, threshold: 0.5, answered: 1 },
  { target_error: 0.05, threshold: 0.8, answered: 0.7 },
];

test('only what was proved is a promise', () => {
  expect(provedFor(promises, 0.05)?.answered).toBe(0.7);
  expect(provedFor(promises, 0.1)).toBeNull();
  expect(lowestProved(promises)).toBe(0.05);
  expect(lowestProved([])).toBeNull();
});

test('the curve of the trade-off goes by what is answered, and leaves out answering nothing', () => {
  const trade = [
    { threshold: 0, answered: 1, errors: 0.2, errors_high: 0.3 },
    { threshold: 0.9, answered: 0.5, errors: 0.1, errors_high: 0.2 },
    { threshold: 1, answered: 0, errors: 0, errors_high: 0 },
  ];
  expect(tradePath(trade, { width: 100, height: 40 }, 0.2)).toBe('M50 20L100 0');
  expect(tradePath([], { width: 100, height: 40 }, 0.2)).toBe('');
});

test('the slider finds the nearest rate', () => expect(targets[nearestTarget(0.049)]).toBe(0.05));
test('an empty row of the matrix has no colour', () => expect(rowShares([[0, 0], [3, 1]])).toEqual([[0, 0], [0.75, 0.25]]));

const finding = (number: number, fault: string, decision: Finding['decision']): Finding => ({
  number, fault, sense: null, title: fault, decision, meaning: '', action: '', action_text: '', about: null, given: null, suggested: null, score: 0, examples: [], neighbours: [], conflict: null, rule: null,
});
const findings = [finding(1, 'label', 'kept'), finding(2, 'label', null), finding(3, 'leak', 'kept'), finding(4, 'leak', null)];

test('the next open finding, also from the top', () => {
  expect(nextOpen(findings, 1)).toBe(3);
  expect(nextOpen(findings, 3)).toBe(1);
  expect(nextOpen([finding(1, 'label', 'kept')], 0)).toBeNull();
  expect(nextOpen([], -1)).toBeNull();
});

test('a rule that was decided on is taken back by editors only', () => {
  expect([mayKeep(finding(1, 'conflict', 'ruled'), false), mayKeep(finding(1, 'conflict', 'ruled'), true), mayKeep(finding(1, 'conflict', null), false)]).toEqual([false, true, true]);
});

test('counts of what is left', () => {
  expect(undecided(findings)).toBe(2);
  const kinds = [
    { fault: 'label', sense: null, n: 40, n_open: 30 },
    { fault: 'blur', sense: 'left', n: 3, n_open: 1 },
  ];
  expect(counted(kinds, '')).toEqual({ total: 43, left: 31 });
  expect(counted(kinds, 'blur left')).toEqual({ total: 3, left: 1 });
  const [open, kept] = [null, 'kept' as const].map((decision) => ({ ...finding(1, 'blur', decision), sense: 'left' }));
  if (!open || !kept) throw new Error('there are two');
  const left = (before: Finding, after: Finding) => recounted(kinds, before, after).map((one) => one.n_open);
  expect([left(open, kept), left(kept, open), left(kept, kept)]).toEqual([[30, 0], [30, 2], [30, 1]]);
});

test('a case stands by the labels of now, its two classes first', () => {
  const labels = ['c', 'b', 'a', null, 'b'];
  const examples = labels.map((label, i) => ({ id: String(i), label }) as Finding['examples'][number]);
  const found = sides({ conflict: { a: 'a', b: 'b', n: 5, split: null }, examples });
  expect(found.map((side) => [side.label, side.examples.map((one) => one.id)])).toEqual([['a', ['2']], ['b', ['1', '4']], ['c', ['0']], [null, ['3']]]);
});

const history: LivePoint[] = [10, 20].map((n) => ({ n_labelled: n, accuracy: estimate(n / 40 + 0.3, 0.05) }));

test('the chart shows chance and the whole interval', () => {
  const scale = scaleOf(history, 0.5, { width: 100, height: 40 });
  expect([scale.low, scale.high]).toEqual([0.5, 0.9]);
  expect(linePath(history, scale)).toBe('M0 35L100 10');
  expect(bandPath(history, scale)).toMatch(/^M.*Z$/);
});

test('a single point stands in the middle', () => {
  expect(linePath(history.slice(0, 1), scaleOf(history.slice(0, 1), null, { width: 100, height: 50 }))).toMatch(/^M50 /);
});

test('the axis of an error begins at 0 and shows the error of guessing', () => {
  const scale = plainScaleOf(history, 2.4, { width: 100, height: 30 });
  expect([scale.low, scale.high, scale.y(0), scale.y(3), scale.x(10)]).toEqual([0, 3, 30, 0, 0]);
  expect(plainScaleOf([], null, { width: 100, height: 30 }).high).toBe(1);
  expect([valueText('mae', 0.8421, 'en'), valueText('label-accuracy', 0.8421, 'en')]).toEqual(['0.842', '84%']);
});

test('addresses go both ways', () => {
  const hash = toDataset('a/b', 'models', { label: 'x & y', state: undefined }, 'm?1');
  expect(parseRoute(hash)).toEqual({ page: 'dataset', id: 'a/b', step: 'models', item: 'm?1', query: { label: 'x & y' } });
  expect(parseRoute('')).toEqual({ page: 'home' });
  expect(parseRoute('#/enter/k%20y')).toEqual({ page: 'enter', key: 'k y', to: '/' });
  expect(parseRoute('#/enter/k?to=%2Fd%2Fx%2Ftry%3Fmodel%3Dy')).toEqual({ page: 'enter', key: 'k', to: '/d/x/try?model=y' });
  expect(parseRoute('#/enter/k?to=https%3A%2F%2Felsewhere')).toEqual({ page: 'enter', key: 'k', to: '/' });
  expect(parseRoute('#/d/1/nowhere')).toEqual({ page: 'missing' });
  expect(parseRoute('#/d/%E0%A4%A')).toMatchObject({ page: 'dataset' });
});

test('shell lines keep quotes', () => {
  expect(quote("it's")).toBe(`'it'\\''s'`);
  expect(curlFor('image', 'http://h/v1/predict/x', 't')).toContain('-F file=@photo.jpg');
  expect(curlFor('text', 'http://h/v1/predict/x', 't')).toContain('{"inputs":[{"text":');
});

test('what a model measures is written as what it is', () => {
  const estimate = { value: 2.7211, low: 1.1929, high: 4.4973, n: 9 };
  expect(measuredText({ metric: 'mae', estimate }, 'en').value).toBe('2.721');
  expect(measuredText({ metric: 'accuracy', estimate: { value: 0.9, low: 0.8, high: 0.95, n: 60 } }, 'en').value).toBe('90%');
  const model = { name: 'weights 1', measures: [{ metric: 'mae', on: 'out-of-fold', estimate }] } as unknown as Model;
  expect(modelTitle(model, 'en')).toBe('weights 1');
});

test('tuning needs two classes, or any two answers of other kinds', () => {
  const two = [{ name: 'a', count: 3 }, { name: 'b', count: 1 }];
  const one = [{ name: 'a', count: 3 }, { name: 'b', count: 0 }];
  expect(mayTune({ task: 'class', inspects: false, classes: two, n_labelled: 4 })).toBe(true);
  expect(mayTune({ task: 'class', inspects: false, classes: one, n_labelled: 3 })).toBe(false);
  expect(mayTune({ task: 'class', inspects: true, classes: one, n_labelled: 3 })).toBe(true);
  expect(mayTune({ task: 'number', inspects: false, classes: [], n_labelled: 2 })).toBe(true);
  expect(mayTune({ task: 'classes', inspects: false, classes: one, n_labelled: 1 })).toBe(false);
});
