import { expect, test } from 'vitest';
import { History } from './history';
import { encode } from './runs';
import { boxBetween, contains, handleAt, handles, handleTo, markAt, movedBy, type Box, type Brush, type Polygon } from './shapes';
import { fitted, following, panned, toPicture, toScreen, zoomed } from './view';

const size = { width: 100, height: 80 };
const box: Box = { class: 'a', shape: 'box', x: 10, y: 20, width: 30, height: 10 };
const triangle: Polygon = { class: null, shape: 'polygon', points: [[50, 10], [90, 10], [50, 50]] };
const mask = new Uint8Array(8000);
mask.fill(1, 60 * 100 + 5, 60 * 100 + 9);
const brush: Brush = { class: 'b', shape: 'brush', ...size, runs: encode(mask) };

test('a box is the same from any corner', () => {
  expect(boxBetween([40, 30], [10, 20], 'a')).toEqual(box);
  expect(boxBetween([10.04, 30], [40, 20], 'a')).toEqual(box);
});

test('the smallest mark under the pointer is meant', () => {
  const inner: Box = { ...box, x: 15, y: 22, width: 4, height: 4 };
  expect(markAt([box, inner], [16, 23], 0)).toBe(1);
  expect(markAt([inner, box], [16, 23], 0)).toBe(0);
  expect(markAt([box], [41, 25], 2)).toBe(0);
  expect(markAt([box], [41, 25], 0)).toBeNull();
  expect(markAt([triangle], [85, 45], 1)).toBeNull();
  expect(markAt([triangle], [51.5, 30], 0)).toBe(0);
  expect(markAt([brush], [7.5, 60.5], 0)).toBe(0);
  expect(markAt([brush], [10.5, 60.5], 0)).toBeNull();
});

test('a crossed polygon is filled where an odd number of edges is passed', () => {
  const star: [number, number][] = [[0, 0], [10, 10], [10, 0], [0, 10]];
  expect(contains(star, [5, 8])).toBe(false);
  expect(contains(star, [9, 5])).toBe(true);
});

test('moved marks stay in the picture; a brush stays where it was painted', () => {
  expect(movedBy(box, -50, 5, size)).toMatchObject({ x: 0, y: 25 });
  expect(movedBy(box, 500, 500, size)).toMatchObject({ x: 70, y: 70 });
  expect(movedBy(triangle, 500, -500, size)).toMatchObject({ points: [[60, 0], [100, 0], [60, 40]] });
  expect(movedBy(brush, 5, 5, size)).toBe(brush);
});

test.each([
  [0, [5, 5], { x: 5, y: 5, width: 35, height: 25 }],
  [4, [200, 200], { x: 10, y: 20, width: 90, height: 60 }],
  [3, [2, 99], { x: 10, y: 20, width: 1, height: 10 }],
  [5, [2, 50], { x: 10, y: 20, width: 30, height: 30 }],
] as [number, [number, number], object][])('handle %d of a box goes to %o', (handle, to, expected) => expect(handleTo(box, handle, to, size)).toMatchObject(expected));

test('a corner of a polygon moves alone', () => {
  expect(handles(triangle)).toHaveLength(3);
  expect(handleTo(triangle, 1, [70, 20], size)).toMatchObject({ points: [[50, 10], [70, 20], [50, 50]] });
  expect(handleAt(triangle, [89, 11], 2)).toBe(1);
  expect(handleAt(box, [25, 25], 2)).toBeNull();
});

const frame = { width: 200, height: 200 };

test('all of the picture is seen at first', () => {
  expect(fitted(size, frame)).toEqual({ scale: 2, x: 0, y: 20 });
});

test('zooming keeps the point under the pointer', () => {
  const view = zoomed(fitted(size, frame), 3, [50, 90], size, frame);
  expect(view.scale).toBe(6);
  expect(toPicture(view, [50, 90])).toEqual(toPicture(fitted(size, frame), [50, 90]));
  expect(toScreen(view, toPicture(view, [7, 9])).map(Math.round)).toEqual([7, 9]);
  expect(zoomed(view, 1000, [50, 90], size, frame).scale).toBe(40);
  expect(zoomed(view, 1e-6, [50, 90], size, frame).scale).toBe(1);
});

test('the picture is never lost, and the crosshair is never out of sight', () => {
  const far = panned(fitted(size, frame), 9999, -9999, size, frame);
  expect(far).toEqual({ scale: 2, x: 152, y: -112 });
  const close = zoomed(fitted(size, frame), 10, [0, 20], size, frame);
  const [x, y] = toScreen(following(close, [100, 80], size, frame), [100, 80]);
  expect(x).toBeLessThanOrEqual(200);
  expect(y).toBeLessThanOrEqual(200);
});

test('changes are taken back and made again; a new one forgets those taken back', () => {
  const history = new History<number>();
  let now = 0;
  for (const next of [1, 2, 3]) {
    history.push(now);
    now = next;
  }
  now = history.undo(now);
  now = history.undo(now);
  expect(now).toBe(1);
  now = history.redo(now);
  expect(now).toBe(2);
  history.push(now);
  now = 9;
  expect(history.canRedo).toBe(false);
  expect(history.undo(now)).toBe(2);
});
