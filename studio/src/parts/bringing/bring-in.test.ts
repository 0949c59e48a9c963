import { beforeEach, expect, test, vi } from 'vitest';

// What is stubbed has to be there before the modules that use it.
const server = vi.hoisted(() => {
  globalThis.navigator ??= { languages: ['en'] } as unknown as Navigator;
  const kept = new Map<string, string>();
  globalThis.localStorage = {
    getItem: (key: string) => kept.get(key) ?? null,
    setItem: (key: string, value: string) => void kept.set(key, value),
    removeItem: (key: string) => void kept.delete(key),
  } as unknown as Storage;
  type Upload = { id: string; dataset: string; files: { path: string; size: number }[]; job: string | null };
  return { kept, uploads: new Map<string, Upload>(), jobs: new Map<string, string>(), datasets: new Set<string>(), sent: [] as string[], problems: ['old'], end: 'done', offline: false };
});
vi.mock('../../api/calls', async () => {
  const { CallError } = await import('../../api/client');
  const there = <T>(value: T | undefined): T => {
    if (server.offline) throw new CallError(0, {});
    if (value === undefined) throw new CallError(404, { code: 'not_found' });
    return value;
  };
  const dataset = (id: string) => ({ id, n_examples: 0, n_problems: 1 });
  return {
    datasets: {
      create: async () => {
        const id = `d${server.datasets.size}`;
        server.datasets.add(id);
        return dataset(id);
      },
      get: async (id: string) => dataset(id),
      remove: async (id: string) => void server.datasets.delete(id),
      problems: async () => server.problems,
    },
    uploads: {
      create: async (of: string) => {
        const upload = { id: `u${server.uploads.size}`, dataset: of, files: [], job: null };
        server.uploads.set(upload.id, upload);
        return { ...upload };
      },
      get: async (id: string) => ({ ...there(server.uploads.get(id)) }),
      put: async (id: string, path: string, _: number, piece: Blob) => {
        if (there(server.uploads.get(id)).job) throw new CallError(409, { code: 'conflict', message: 'this upload was finished' });
        server.sent.push(`${id}/${path}`);
        return { size: piece.size };
      },
      finish: async (id: string) => {
        const upload = there(server.uploads.get(id));
        upload.job ??= `j${id}`;
        return { id: upload.job };
      },
    },
    jobs: { get: async (id: string) => ({ id, state: there(server.jobs.get(id)) }) },
  };
});
vi.mock('../../api/jobs', () => ({
  follow: async (id: string) => ({ id, state: server.end, result: { n_examples: 1, n_problems: 1 }, error: null }),
}));

const { BringIn, interrupted } = await import('./bring-in.svelte');
type Into = ConstructorParameters<typeof BringIn>[0];

const fresh: Into = { task: 'class' };
const existing: Into = { dataset: 'd0' };
const REMEMBERED = 'dianjing.upload';

beforeEach(() => {
  server.kept.clear();
  server.uploads.clear();
  server.jobs.clear();
  server.datasets = new Set(['d0']);
  Object.assign(server, { sent: [], problems: ['old'], end: 'done', offline: false });
});

async function broughtIn(into: Into): Promise<InstanceType<typeof BringIn>> {
  const bringing = new BringIn(into);
  await bringing.run(Promise.resolve([{ path: 'p/a', file: new Blob(['abc']) }]));
  return bringing;
}

/** The page was left while this was sent, or after it was finished with a job. */
function left(upload: string, dataset: string, job: string | null, into: string | null): void {
  server.uploads.set(upload, { id: upload, dataset, files: [], job });
  server.kept.set(REMEMBERED, JSON.stringify({ fingerprint: 'p|1|3|a', upload, name: 'p', into }));
}

test('a new dataset is made for a folder, and taken away where nothing came', async () => {
  expect([(await broughtIn(fresh)).stage, [...server.datasets], server.sent]).toEqual(['done', ['d0', 'd1'], ['u0/a']]);
  server.end = 'failed';
  expect([(await broughtIn(fresh)).stage, [...server.datasets]]).toEqual(['failed', ['d0', 'd1']]);
});

test('more comes into a dataset that there is, which stays whatever happens', async () => {
  const { stage, dataset } = await broughtIn(existing);
  expect([stage, dataset?.id, [...server.datasets]]).toEqual(['done', 'd0', ['d0']]);
  server.end = 'failed';
  expect([(await broughtIn(existing)).stage, [...server.datasets]]).toEqual(['failed', ['d0']]);
});

test('only what could not be read this time is told', async () => {
  server.problems = ['old', 'new'];
  expect((await broughtIn(existing)).problems).toEqual(['new']);
});

test('an upload that was cut off goes on where it belongs, and nowhere else', async () => {
  left('cut', 'd0', null, 'd0');
  expect([interrupted('d0'), interrupted('d7'), interrupted(null)]).toEqual(['p', null, null]);
  await broughtIn(existing);
  expect([server.sent, interrupted('d0')]).toEqual([['cut/a'], null]);
  left('cut', 'd0', null, 'd0');
  await broughtIn(fresh);
  expect(server.sent.slice(1)).not.toContain('cut/a');
});

test('of an upload that was finished already the job is followed', async () => {
  left('over', 'd0', 'j', null);
  server.jobs.set('j', 'running');
  const { stage, job } = await broughtIn(fresh);
  expect([stage, job?.id, server.sent, [...server.datasets], interrupted(null)]).toEqual(['done', 'j', [], ['d0'], null]);
});

test.each(['failed', 'cancelled', undefined])('where its job is %s it begins anew in the same place', async (state) => {
  left('over', 'd0', 'j', null);
  if (state) server.jobs.set('j', state);
  expect([(await broughtIn(fresh)).stage, server.sent, [...server.datasets]]).toEqual(['done', ['u1/a'], ['d0']]);
});

test('an upload that the server has forgotten begins anew; one that cannot be asked about does not', async () => {
  left('gone', 'd0', null, null);
  server.uploads.clear();
  server.offline = true;
  expect([(await broughtIn(fresh)).stage, server.sent]).toEqual(['failed', []]);
  server.offline = false;
  expect([(await broughtIn(fresh)).stage, [...server.datasets]]).toEqual(['done', ['d0', 'd1']]);
});
