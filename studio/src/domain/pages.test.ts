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
  for (const at of [0, 10, 20, 30, 40, 20]) await list.at(at);
  fetch.mockClear();
  await list.afresh();
  expect([await list.at(20), list.peek(0), list.peek(10)]).toEqual([20, 0, undefined]);
  expect(fetch.mock.calls.map(([offset]) => offset)).toEqual([0, 30, 40, 20]);
});

/** As the server holds it: who asks for its beginning begins a list, whatever was learned before; further pages go on with it. */
function ordered() {
  let order = 1;
  let held = 1;
  const gates = new Map<number, Promise<void>>();
  const fetch = async (offset: number, limit: number) => {
    if (offset === 0) held = order;
    const sign = held;
    await gates.get(offset);
    return { total: 100, items: Array.from({ length: limit }, (_, i) => sign * 1000 + offset + i) };
  };
  return { gates, learn: () => (order += 1), list: new Paged<number>({ pageSize: 10, maxPages: 10, fetch, changed: () => {} }) };
}

test('a list that begins anew has no pages of the one before, and is shown as it was until its first page is there', async () => {
  const { gates, learn, list } = ordered();
  for (const at of [0, 10, 20]) await list.at(at);
  learn();
  let open = (): void => {};
  gates.set(0, new Promise((resolve) => (open = resolve)));
  const beginning = list.afresh();
  expect([list.peek(0), list.peek(10)]).toEqual([1000, 1010]);
  open();
  await beginning;
  expect([list.peek(0), list.peek(10), list.peek(20)]).toEqual([2000, undefined, undefined]);
  expect([await list.at(10), await list.at(20)]).toEqual([2010, 2020]);
});

test('a page that was on its way when another list began comes from that one', async () => {
  const { gates, learn, list } = ordered();
  await list.at(0);
  let open = (): void => {};
  gates.set(30, new Promise((resolve) => (open = resolve)));
  const late = list.at(30);
  learn();
  gates.delete(30);
  await list.afresh();
  open();
  expect([await late, list.peek(0)]).toEqual([2030, 2000]);
});

test('the first page is never forgotten: to fetch it would begin another list', async () => {
  const { fetch, list } = paged(100, 2);
  for (const at of [0, 10, 20, 30]) await list.at(at);
  expect([list.peek(0), list.peek(20), list.peek(30)]).toEqual([0, undefined, 30]);
  expect(fetch).toHaveBeenCalledTimes(4);
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
