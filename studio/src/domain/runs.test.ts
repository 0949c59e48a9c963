import { expect, test } from 'vitest';
import { boundsOf, covers, decode, encode, nMarked, paintDisc, paintLine, union } from './runs';

const size = { width: 7, height: 5 };

/** A mask from a drawing: # is marked. */
function drawn(...rows: string[]): Uint8Array {
  return Uint8Array.from([...rows.join('')].map((one) => Number(one === '#')));
}

function drawing(mask: Uint8Array, { width, height } = size): string[] {
  return Array.from({ length: height }, (_, row) => [...mask.subarray(row * width, (row + 1) * width)].map((one) => (one ? '#' : '.')).join(''));
}

test.each([
  ['nothing', drawn('...', '...'), [6]],
  ['everything', drawn('###', '###'), [0, 6]],
  ['the first pixel', drawn('#..', '...'), [0, 1, 5]],
  ['the last pixel', drawn('...', '..#'), [5, 1]],
  ['over the end of a row', drawn('..#', '#..'), [2, 2, 2]],
])('%s', (_, mask, runs) => {
  expect(encode(mask)).toEqual(runs);
  expect(decode(runs, { width: 3, height: 2 })).toEqual(mask);
});

test('there and back, whatever the mask', () => {
  let seed = 1;
  for (let round = 0; round < 50; round += 1) {
    const mask = Uint8Array.from({ length: 35 }, () => Number((seed = (seed * 16807) % 2147483647) % 3 === 0));
    const runs = encode(mask);
    expect(runs.reduce((a, b) => a + b, 0)).toBe(35);
    expect(decode(runs, size)).toEqual(mask);
    expect(nMarked(runs)).toBe(mask.reduce((a, b) => a + b, 0));
    expect(covers(runs, 17)).toBe(mask[17] === 1);
  }
});

test('a union is the union of the masks', () => {
  let seed = 5;
  const random = () => Uint8Array.from({ length: 35 }, () => Number((seed = (seed * 16807) % 2147483647) % 2 === 0));
  for (let round = 0; round < 50; round += 1) {
    const [a, b] = [random(), random()];
    expect(union(encode(a), encode(b))).toEqual(encode(a.map((one, i) => one | (b[i] ?? 0))));
  }
  expect(union([35], [35])).toEqual([35]);
});

test('a disc is round, and stays in the picture', () => {
  const mask = new Uint8Array(35);
  paintDisc(mask, size, 3.5, 2.5, 2, 1);
  expect(drawing(mask)).toEqual(['...#...', '..###..', '.#####.', '..###..', '...#...']);
  paintDisc(mask, size, 3.5, 2.5, 1, 0);
  expect(drawing(mask)).toEqual(['...#...', '..#.#..', '.#...#.', '..#.#..', '...#...']);
  const corner = new Uint8Array(35);
  paintDisc(corner, size, 0, 0, 1, 1);
  paintDisc(corner, size, 99, 99, 3, 1);
  expect(drawing(corner)).toEqual(['#......', '.......', '.......', '.......', '.......']);
});

test('a line paints what all discs on it would', () => {
  const wide = { width: 60, height: 40 };
  for (const [from, to] of [[[5, 5], [50, 30]], [[50, 8], [9, 31]], [[10, 20], [40, 20]], [[30, 4], [30, 35]]] as [[number, number], [number, number]][]) {
    const line = new Uint8Array(2400);
    const discs = new Uint8Array(2400);
    paintLine(line, wide, from, to, 4, 1);
    for (let i = 0; i <= 4000; i += 1) paintDisc(discs, wide, from[0] + ((to[0] - from[0]) * i) / 4000, from[1] + ((to[1] - from[1]) * i) / 4000, 4, 1);
    expect(drawing(line, wide)).toEqual(drawing(discs, wide));
  }
});

test('bounds hold what is marked and no more', () => {
  expect(boundsOf(encode(drawn('.......', '..##...', '...#...', '.......', '.......')), size)).toEqual({ x: 2, y: 1, width: 2, height: 2 });
  expect(boundsOf(encode(drawn('......#', '#......', '.......', '.......', '.......')), size)).toEqual({ x: 0, y: 0, width: 7, height: 2 });
  expect(boundsOf([35], size)).toBeNull();
});

test('twelve million pixels are encoded within a stroke', () => {
  const large = { width: 4000, height: 3000 };
  const mask = new Uint8Array(12_000_000);
  for (let i = 0; i < 60; i += 1) paintLine(mask, large, [i * 60, 200], [i * 60 + 300, 2600], 12, 1);
  const began = performance.now();
  const runs = encode(mask);
  const took = performance.now() - began;
  expect(decode(runs, large).every((one, i) => one === mask[i])).toBe(true);
  // Some 15 ms where this was written; the limit only catches a way that looks at each pixel by itself in vain.
  expect(took).toBeLessThan(400);
});
