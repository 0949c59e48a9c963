import { expect, test } from 'vitest';
import { layOut, poolSize, slots, step, visible } from './geometry';

const GAP = 10;
const wish = { total: 100_000, width: 1240, gap: GAP, cell: 168, rowHeight: (width: number) => Math.round(width * 0.8) + 30 };

test('cells fill the width', () => {
  const layout = layOut(wish);
  expect(layout.columns).toBe(7);
  expect(layout.columns * layout.cellWidth + (layout.columns - 1) * GAP).toBeLessThanOrEqual(1240);
  expect(layout.rows).toBe(14_286);
});

test('rows have one column, a narrow screen at least two', () => {
  expect(layOut({ ...wish, cell: null }).columns).toBe(1);
  expect(layOut({ ...wish, width: 200 }).columns).toBe(2);
});

test('the pool is enough at every scroll position, and no larger for more examples', () => {
  const layout = layOut(wish);
  const pool = poolSize(layout, GAP, 700);
  expect(poolSize(layOut({ ...wish, total: 100 }), GAP, 700)).toBe(pool);
  for (let top = 0; top < layout.height; top += 9_973) {
    const { first, end } = visible(layout, GAP, top, 700, wish.total);
    expect(end - first).toBeLessThanOrEqual(pool);
    const shown = slots({ first, end }, pool).filter((index) => index >= 0);
    expect(new Set(shown).size).toBe(end - first);
  }
});

test('a scroll by one row changes one row of cells', () => {
  const layout = layOut(wish);
  const pool = poolSize(layout, GAP, 700);
  const at = (top: number): number[] => slots(visible(layout, GAP, top, 700, wish.total), pool);
  const stride = layout.cellHeight + GAP;
  const changed = at(50 * stride).filter((index, slot) => index !== at(51 * stride)[slot]);
  expect(changed.length).toBeLessThanOrEqual(2 * layout.columns);
});

test('nothing to show is no cell', () => {
  const layout = layOut({ ...wish, total: 0 });
  expect(visible(layout, GAP, 0, 700, 0)).toEqual({ first: 0, end: 0 });
  expect(layout.height).toBe(0);
});

test('past the end there is nothing', () => {
  const layout = layOut({ ...wish, total: 10 });
  const { first, end } = visible(layout, GAP, 1e9, 700, 10);
  expect(first).toBeLessThanOrEqual(end);
  expect(end).toBeLessThanOrEqual(10);
});

test.each([
  [5, 'ArrowRight', 6],
  [0, 'ArrowLeft', 0],
  [9, 'ArrowRight', 9],
  [5, 'ArrowDown', 8],
  [8, 'ArrowDown', 8],
  [5, 'Home', 0],
  [5, 'End', 9],
  [5, 'PageDown', 9],
  [5, 'a', null],
])('from %d %s leads to %s', (from, key, to) => expect(step(from, key, 3, 10, 2)).toBe(to));
