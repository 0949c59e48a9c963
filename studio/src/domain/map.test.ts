import { expect, test } from 'vitest';
import { arranged, cloudOf, corners, fifths, Grid, marked, packed, paint } from './map';

const cloud = cloudOf([0.1, 0.5, 0.52, 1], [0.1, 0.5, 0.5, 1]);
const colour = Uint8Array.of(1, 0, 1, 0);
const palette = Uint32Array.of(10, 20);
const size = { width: 11, height: 11 };
const view = { scale: 10, x: 0, y: 0 };

function painted(drawn = arranged(cloud, colour, palette), half = 0, at = view): Map<string, number> {
  const pixels = new Uint32Array(121);
  paint(pixels, size, at, drawn, half);
  return new Map([...pixels].flatMap((value, i) => (value === 0 ? [] : [[`${i % 11},${Math.floor(i / 11)}`, value] as [string, number]])));
}

test('each point has its colour; a later colour lies over an earlier one', () => {
  expect([...painted()]).toEqual([['1,1', 20], ['5,5', 20], ['10,10', 10]]);
});

test('what is selected can be drawn over the others, and larger', () => {
  const found = painted(marked(cloud, [1], 99), 1);
  expect([...found.keys()]).toEqual(['4,4', '5,4', '6,4', '4,5', '5,5', '6,5', '4,6', '5,6', '6,6']);
  expect(found.get('5,5')).toBe(99);
});

test('points outside the frame are left out, those at its edge are cut', () => {
  expect(painted(undefined, 0, { scale: 10, x: 500, y: 0 }).size).toBe(0);
  expect(painted(undefined, 1, { scale: 10, x: -1, y: -1 }).get('0,0')).toBe(20);
});

test('colours lie in memory as a canvas wants them', () => {
  expect([...new Uint8Array(Uint32Array.of(packed([1, 0.5, 0])).buffer)]).toEqual([255, 128, 0, 255]);
});

const grid = new Grid(cloud);

test('the nearest point within reach', () => {
  expect(grid.nearest([0.515, 0.5], 0.1)).toBe(2);
  expect(grid.nearest([0.3, 0.3], 0.1)).toBeNull();
  expect(grid.nearest([1.01, 1.01], 0.1)).toBe(3);
});

test('a lasso and a rectangle take what is inside', () => {
  expect(grid.inside([[0.4, 0.4], [0.6, 0.4], [0.42, 0.6]])).toEqual([1]);
  expect(grid.inside(corners([0, 0], [1.1, 1.1])).toSorted()).toEqual([0, 1, 2, 3]);
  expect(grid.inside([[0, 0], [1, 1]])).toEqual([]);
});

test('a search by cells finds what a search by all would', () => {
  let seed = 3;
  const random = () => (seed = (seed * 16807) % 2147483647) / 2147483647;
  const x = Array.from({ length: 3000 }, random);
  const y = Array.from({ length: 3000 }, random);
  const many = cloudOf(x, y);
  const cells = new Grid(many);
  for (let round = 0; round < 40; round += 1) {
    const [px, py] = [random(), random()];
    const gaps = Array.from(many.x, (one, i) => (one - px) ** 2 + ((many.y[i] ?? 0) - py) ** 2);
    const least = Math.min(...gaps);
    expect(cells.nearest([px, py], 0.2)).toBe(least <= 0.04 ? gaps.indexOf(least) : null);
  }
});

test('numbers are parted into fifths, and equal ones stay together', () => {
  const { ends, of } = fifths([5, 1, null, 3, 2, 4, undefined, 10, 6, 9, 8, 7]);
  expect([ends, [1, 2, 3, 10].map(of)]).toEqual([[2, 4, 6, 8], [0, 0, 1, 4]]);
  expect(fifths([1, 1, 1, 1, 1, 1, 1, 9])).toMatchObject({ ends: [1] });
  expect([fifths([7, 7]).ends, fifths([7, 7]).of(7), fifths([]).ends]).toEqual([[], 0, []]);
});
