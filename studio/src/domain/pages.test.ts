import { expect, test, vi } from 'vitest';
import { Paged } from './pages';

function paged(total: number, maxPages = 10) {
  const fetch = vi.fn(async (offset: number, limit: number) => ({
    total,
    items: Array.from({ length: Math.max(0, Math.min(limit, total - offset)) }, (_, i) => offset + i),
  }));
  return { fetch, list: new Paged({ pageSize: 10, maxPages, fetch, changed: () => {} }) };
}

test('fetches only what is looked at, and once', async () => {
  const { fetch, list } = paged(100);
  list.want(35, 42);
  list.want(35, 42);
  expect(await list.at(41)).toBe(41);
  expect(fetch.mock.calls.map(([offset]) => offset)).toEqual([30, 40]);
  expect(list.peek(35)).toBe(35);
  expect(list.peek(50)).toBeUndefined();
});

test('many that changed elsewhere are fetched once more where they were looked at last', async () => {
  const { fetch, list } = paged(100);
  for (const at of [0, 10, 20, 30, 10]) await list.at(at);
  fetch.mockClear();
  await list.afresh();
  expect(fetch.mock.calls.map(([offset]) => offset)).toEqual([20, 30, 10]);
  expect([list.peek(0), list.peek(10)]).toEqual([undefined, 10]);
});

test('forgets the page that was not used for longest', async () => {
  const { fetch, list } = paged(100, 2);
  await list.at(0);
  await list.at(10);
  await list.at(0);
  await list.at(20);
  expect(list.peek(0)).toBe(0);
  expect(list.peek(10)).toBeUndefined();
  expect(fetch).toHaveBeenCalledTimes(3);
});

test('does not ask past the end', async () => {
  const { fetch, list } = paged(5);
  await list.at(0);
  await list.at(70);
  expect(fetch).toHaveBeenCalledTimes(1);
});

test('a failure is told, and tried again on the next look', async () => {
  let broken = true;
  const list = new Paged<number>({
    pageSize: 10,
    maxPages: 10,
    changed: () => {},
    fetch: async () => {
      if (broken) throw new Error('down');
      return { total: 1, items: [7] };
    },
  });
  await list.at(0);
  expect(list.error).toBeInstanceOf(Error);
  broken = false;
  expect(await list.at(0)).toBe(7);
  expect(list.error).toBeNull();
});

test('changes an example wherever it is held', async () => {
  const { list } = paged(20);
  await list.at(0);
  list.replace((n) => (n === 3 ? 33 : n));
  expect(list.peek(3)).toBe(33);
});
