// What a server remembers of people who disagree and of models in use: goes in front of mock.mjs.

/** @typedef {import('./mock.mjs').Call} Call */

const DAY = 86_400_000;
const measure = (/** @type {number} */ value, /** @type {number} */ low, /** @type {number} */ high, /** @type {number} */ n) => ({ value, low, high, n });

/** @param {any} world of mock.mjs */
export function watched(world) {
  const state = {
    role: 'owner',
    people: 3,
    /** The first entry of the audit log that does not fit. @type {number | null} */
    broken_at: null,
    /** What is asked for is not answered, once each. @type {string[]} */
    refused: [],
    /** @type {Record<string, any>} */
    deployments: {
      parts: deployment('parts', { changed_at: '2026-11-24T07:30:00Z', collects: 'things', n_collected: 41, n_requests: 5210, previous: 'm0' }),
      steady: deployment('steady', { shadow: 'm2', n_requests: 900, collects: 'things' }),
      fresh: deployment('fresh', {}),
    },
  };
  for (const of of Object.values(world.datasets)) Object.assign(of, { annotators: 1, blind: false });
  const before = world.answer;

  /** @param {Call} call @param {URLSearchParams} query */
  world.answer = (call, query) => {
    const [, , kind, id = '', more, of_what] = call.path.split('/').map(decodeURIComponent);
    if (state.refused.some((path) => call.method !== 'GET' && call.path.includes(path))) return undefined;
    if (kind === 'status') return { way: 'team', needs_setup: false, version: '0' };
    if (kind === 'session') return { person: { id: 'p', name: 'Ann', role: state.role, created_at: '2026-11-01T00:00:00Z' }, tenant: { id: 't', name: 'Tiles Ltd' } };
    if (kind === 'datasets' && more === 'agreement' && of_what === 'marks') return { agreement: null, overlap: null, people: [], n_disputed: 0, disputes: [] };
    if (kind === 'datasets' && more === 'agreement') return agreement(world, id, state.people);
    if (kind === 'datasets' && more === 'decisions') return before({ ...call, path: `/v1/datasets/${id}/labels` }, query) && world.found(call.body.example);
    if (kind === 'models' && !id) return { models: ['m1', 'm2', 'm3'].map(model) };
    if (kind === 'people') return { people: [] };
    if (kind === 'tokens') return { tokens: [] };
    if (kind === 'usage') return { examples: { used: 1, allowed: null }, bytes: { used: 1, allowed: null } };
    if (kind === 'trail') return id ? { n_entries: 3, hash: 'b3', broken_at: state.broken_at } : { entries: [3, 2, 1].map((seq) => ({ seq, at: '2026-11-20T12:00:00Z', person: seq === 2 ? '' : 'Ann', action: seq === 2 ? 'let inputs go' : 'log in', subject: '', hash: `b${seq}` })) };
    if (kind !== 'deployments') return before(call, query);
    const of = state.deployments[id];
    if (!id) return { deployments: Object.values(state.deployments) };
    if (!of) return undefined;
    if (more === 'monitor') return monitor(of, Number(query.get('days')));
    if (more === 'drift') return ((of.changed_at = null), {});
    if (more === 'roll-back') return Object.assign(of, { model: model(of.previous), previous: of.model.id });
    if (call.method === 'PUT') {
      if (call.body.model !== of.model.id) of.previous = of.model.id;
      return Object.assign(of, { model: model(call.body.model), shadow: call.body.shadow, collects: call.body.collects, keep_days: call.body.keep_days ?? of.keep_days });
    }
    return undefined;
  };
  return state;
}

/** @param {string} id */
function model(id) {
  const n = Number(id.slice(1));
  return {
    id, name: `things ${n}`, dataset: 'things', kind: 'answers', modality: n === 3 ? 'text' : 'image', senses: [], created_at: '2026-11-20T12:00:00Z', deployed_as: [], n_examples: 120, size_bytes: 812_000,
    base: 'dinov2-small', recipe: 'linear', why: 'best', classes: ['cat', 'dog', 'bird'], promise: null, recall: [], inspector: null,
    measures: [{ metric: 'accuracy', on: 'out-of-fold', estimate: measure(0.9 + n / 100, 0.88, 0.96, 120) }],
  };
}

/** @param {string} name @param {object} more */
function deployment(name, more) {
  return { name, model: model('m1'), previous: null, collects: null, n_collected: 0, keep_days: 30, url: `/v1/predict/${name}`, created_at: '2026-11-02T09:00:00Z', shadow: null, n_requests: 0, latency_ms_p50: name === 'fresh' ? null : 3.36, changed_at: null, ...more };
}

/** @param {any} of @param {number} n */
function monitor(of, n) {
  const asked = of.n_requests > 0;
  const days = !asked ? [] : Array.from({ length: n }, (_, i) => i).filter((i) => i % 7 < 5).map((i) => {
    const n_requests = Math.round(120 + 90 * Math.sin(i) + i * 3);
    const cat = Math.round(n_requests * (of.changed_at ? 0.2 : 0.5));
    return {
      day: new Date(Date.now() - (n - 1 - i) * DAY).toISOString().slice(0, 10), n_requests, n_doubtful: Math.round(n_requests * (of.changed_at ? 0.22 : 0.04)),
      answers: [{ answer: 'dog', count: n_requests - cat }, { answer: 'cat', count: cat }],
      latency_ms_p50: 3 + Math.cos(i), latency_ms_p95: 9 + 4 * Math.sin(i),
    };
  });
  return {
    days,
    drift: { n: asked ? 4000 : 0, evidence: of.changed_at ? 48_211.4 : asked ? 2.7 : 1, changed_at: of.changed_at, seen: { n: asked ? 4000 : 0, evidence: 1, changed_at: null, senses: of.changed_at ? [{ sense: 'photo', n: 4000, evidence: 310, changed: true }, { sense: 'note', n: 3120, evidence: 1, changed: false }] : [] } },
    mix: { classes: ['cat', 'dog', 'bird'], expected: [52, 58, 10], observed: asked ? (of.changed_at ? [210, 640, 12] : [410, 470, 61]) : [0, 0, 0], p_value: asked ? (of.changed_at ? 3e-12 : 0.3321) : null },
    shadow: of.shadow && { model: of.shadow, n: asked ? 640 : 0, same: asked ? 611 : 0 },
  };
}

/** @param {any} world @param {string} id @param {number} people */
function agreement(world, id, people) {
  const names = ['Ann', 'Bo', '陈晨'].slice(0, people);
  const [a, b, c] = said(world.datasets[id]);
  const disputes = people < 2 ? [] : [[a, b, b], [a, a, b], [c, b, a]].map((labels, i) => ({
    example: world.found(`${id}-${id === 'sounds' ? 'sound' : 'x'}${i}`), votes: labels.map((label, at) => ({ by: ['Ann', 'Bo', '陈晨'][at], label })),
    best: labels[1], probability: 0.52 + i * 0.17,
  }));
  return {
    alpha: people < 2 ? null : measure(0.71, 0.58, 0.83, 64), n_disputed: disputes.length, disputes,
    people: names.map((name, i) => ({
      name, n_votes: 80 - i * 11, accuracy: people < 2 ? null : measure(0.95 - i * 0.06, 0.87 - i * 0.07, 0.98 - i * 0.04, 80 - i * 11),
      confusions: i === 0 || people < 2 ? [] : [{ truth: a, said: b, times: 3.4 }, { truth: b, said: c, times: 0.8 }],
    })),
  };
}

/** Answers in words. @param {any} of */
function said(of) {
  if (of.task === 'number') return ['2.5', '3', '3.25'];
  if (of.task === 'classes') return ['dirt, rust', 'rust', ''];
  return of.classes.map((/** @type {any} */ one) => one.name);
}
