// What a program does at a server, for tests that are about something else: brings data in, looks through, tunes, deploys.

import assert from 'node:assert/strict';

/** A piece of an upload. */
const CHUNK = 8 << 20;
const PATIENCE_MS = 1_800_000;

/**
 * @param {import('playwright-core').APIRequestContext} request of a page that has come in
 * @param {string} base where the server is
 */
export function programOf(request, base) {
  /** @param {string} method @param {string} at @param {{ data?: any, form?: any }} [body] @returns {Promise<any>} */
  async function ask(method, at, body = {}) {
    const answer = await request.fetch(`${base}${at}`, { method, headers: { 'X-Dianjing': '1' }, timeout: 600_000, ...body });
    assert(answer.ok(), `${method} ${at}: ${answer.status()} ${await answer.text()}`);
    return answer.status() === 204 ? null : answer.json();
  }

  const get = (/** @type {string} */ at) => ask('GET', at);
  const post = (/** @type {string} */ at, /** @type {object} */ data = {}) => ask('POST', at, { data });

  /** Asks again and again until there is an answer. @template T @param {() => Promise<T | null | undefined | false>} look @param {string} what @returns {Promise<T>} */
  async function until(look, what) {
    for (const began = Date.now(); Date.now() - began < PATIENCE_MS; ) {
      const found = await look();
      if (found) return found;
      await new Promise((resolve) => setTimeout(resolve, 100));
    }
    return assert.fail(`${what} takes too long`);
  }

  /** Waits until a job ends. @param {any} job */
  async function done(job) {
    const ended = await until(async () => {
      const now = await get(`/v1/jobs/${job.id}`);
      return now.ended_at && now;
    }, `the ${job.kind} job`);
    assert.equal(ended.state, 'done', JSON.stringify(ended));
    return ended;
  }

  return {
    ask, get, post, until,

    /** Brings files in as a new data set; its id. @param {string} name @param {{ path: string, bytes: Buffer }[]} files */
    async bring(name, files) {
      const { id } = await post('/v1/datasets', { name });
      const upload = await post(`/v1/datasets/${id}/uploads`);
      for (const { path, bytes } of files) {
        for (let offset = 0; offset < bytes.length; offset += CHUNK) {
          const at = `/v1/uploads/${upload.id}/file?path=${encodeURIComponent(path)}&offset=${offset}`;
          await ask('PUT', at, { data: bytes.subarray(offset, offset + CHUNK) });
        }
      }
      await done(await post(`/v1/uploads/${upload.id}/finish`));
      return /** @type {string} */ (id);
    },

    /** Waits until the quick model has looked at everything. @param {string} dataset */
    looked: (dataset) => until(async () => {
      const live = await get(`/v1/datasets/${dataset}/live`);
      assert.notEqual(live.state, 'failed', JSON.stringify(live));
      return live.state !== 'looking' && live;
    }, 'looking at the examples'),

    /** @param {string} dataset */
    audit: async (dataset) => done(await post(`/v1/datasets/${dataset}/audit`)),

    /** The id of the model. @param {string} dataset @param {object} [wishes] @returns {Promise<string>} */
    tune: async (dataset, wishes = {}) => (await done(await post(`/v1/datasets/${dataset}/tune`, wishes))).result.model,

    /** @param {string} model @param {string} name */
    deploy: (model, name) => ask('PUT', `/v1/deployments/${name}`, { data: { model } }),
  };
}
