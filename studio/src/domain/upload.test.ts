import { expect, test } from 'vitest';
import { CHUNK_BYTES, planUpload, remaining, secondsLeft } from './upload-plan';
import { sendFile } from './upload';

const file = (path: string, size = 3) => ({ path, file: new Blob([new Uint8Array(size)]) });

test('the folder everything lies in gives the name, its folders are the classes', () => {
  const plan = planUpload([file('parts/good/1.jpg'), file('parts/bad/2.jpg')]);
  expect(plan.name).toBe('parts');
  expect(plan.files.map((one) => one.path)).toEqual(['good/1.jpg', 'bad/2.jpg']);
});

test('one table gives its own name', () => expect(planUpload([file('tickets.csv')]).name).toBe('tickets'));
test('two folders stay two classes', () => {
  expect(planUpload([file('good/1.jpg'), file('bad/2.jpg')]).files.map((one) => one.path)).toEqual(['good/1.jpg', 'bad/2.jpg']);
});

test('what systems leave behind is not uploaded', () => {
  const plan = planUpload([file('a/.DS_Store'), file('a/__MACOSX/x'), file('a/Thumbs.db'), file('a/1.jpg'), file('a/.git/config')]);
  expect(plan.files.map((one) => one.path)).toEqual(['1.jpg']);
});

test('nothing is nothing', () => expect(planUpload([])).toMatchObject({ name: '', files: [], bytes: 0 }));

test('goes on where the server is', () => {
  const plan = planUpload([file('p/a', 5), file('p/b', 5), file('p/c', 5)]);
  const left = remaining(plan, [{ path: 'a', size: 5 }, { path: 'b', size: 2 }]);
  expect(left.map(({ file: { path }, offset }) => [path, offset])).toEqual([['b', 2], ['c', 0]]);
});

test('no guess of the time in the first seconds', () => {
  expect(secondsLeft(10, 100, 1000)).toBeNull();
  expect(secondsLeft(25, 100, 5000)).toBe(15);
});

class Elsewhere extends Error {
  constructor(readonly size: number) {
    super();
  }
}

/** A server that keeps what it gets and insists on its own offset. */
function server(has = 0) {
  const state = { size: has, calls: 0, progress: 0 };
  return {
    state,
    sender: {
      put: async (_: string, offset: number, bytes: Blob) => {
        state.calls += 1;
        if (offset !== state.size) throw new Elsewhere(state.size);
        state.size += bytes.size;
        return { size: state.size };
      },
      serverSize: (error: unknown) => (error instanceof Elsewhere ? error.size : null),
      progress: (n: number) => (state.progress += n),
    },
  };
}

test('a large file goes in pieces', async () => {
  const { state, sender } = server();
  await sendFile('a', new Blob([new Uint8Array(CHUNK_BYTES * 2 + 1)]), 0, sender);
  expect(state).toEqual({ size: CHUNK_BYTES * 2 + 1, calls: 3, progress: CHUNK_BYTES * 2 + 1 });
});

test('an empty file is sent too', async () => {
  const { state, sender } = server();
  await sendFile('a', new Blob([]), 0, sender);
  expect(state.calls).toBe(1);
});

test('a wrong offset goes on from the server', async () => {
  const { state, sender } = server(4);
  await sendFile('a', new Blob([new Uint8Array(10)]), 0, sender);
  expect(state).toEqual({ size: 10, calls: 2, progress: 10 });
});

test('a server that never agrees is given up', async () => {
  const { sender } = server();
  const put = async (): Promise<never> => {
    throw new Elsewhere(1);
  };
  await expect(sendFile('a', new Blob([new Uint8Array(10)]), 0, { ...sender, put })).rejects.toBeInstanceOf(Elsewhere);
});
