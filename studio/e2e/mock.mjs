// A server that only remembers: what the pages for marks, tasks, inspectors and the map need, without a model behind
// it. It says what the real one says in form, not in sense.

import { createServer } from 'node:http';
import { png, wave } from './made.mjs';

/** @typedef {{ method: string, path: string, body: any }} Call */

/**
 * @param {{ width?: number, height?: number, nPoints?: number }} [wish]
 */
export async function mock({ width = 1200, height = 900, nPoints = 2000 } = {}) {
  const world = makeWorld({ width, height, nPoints });
  /** @type {Call[]} */
  const calls = [];
  const picture = png(width, height);
  const small = png(160, 120);
  const server = createServer((request, response) => {
    /** @type {Buffer[]} */
    const pieces = [];
    request.on('data', (piece) => pieces.push(piece));
    request.on('end', () => {
      const url = new URL(request.url ?? '/', 'http://mock');
      const bytes = Buffer.concat(pieces);
      const json = request.headers['content-type']?.startsWith('application/json') ? JSON.parse(bytes.toString() || '{}') : null;
      const call = { method: request.method ?? 'GET', path: url.pathname, body: json };
      if (call.method !== 'GET') calls.push(call);
      if (/\/content$/.test(url.pathname)) return send(response, url.pathname.includes('/sound') ? wave() : picture, url.pathname.includes('/sound') ? 'audio/wav' : 'image/png');
      if (/\/thumbnail$/.test(url.pathname)) return send(response, small, 'image/png');
      const answer = world.answer(call, url.searchParams);
      if (answer === undefined) response.writeHead(404, { 'Content-Type': 'application/json' }).end('{"code":"missing","message":"not in the mock","hint":null,"request_id":"r"}');
      else send(response, Buffer.from(JSON.stringify(answer)), 'application/json');
    });
  });
  await new Promise((resolve) => server.listen(0, '127.0.0.1', () => resolve(undefined)));
  const address = server.address();
  const port = typeof address === 'object' && address ? address.port : 0;
  return { url: `http://127.0.0.1:${port}`, calls, world, picture, close: () => server.close() };
}

/** @param {import('node:http').ServerResponse} response @param {Buffer} bytes @param {string} type */
function send(response, bytes, type) {
  response.writeHead(200, { 'Content-Type': type, 'Content-Length': bytes.length }).end(bytes);
}

const now = '2026-11-26T12:00:00Z';

/** @param {{ width: number, height: number, nPoints: number }} wish */
function makeWorld({ width, height, nPoints }) {
  const plain = { text: null, label: null, labels: null, number: null, by: null, suggestion: null, marks: [], width: null, height: null };
  const texts = ['Anna lives in Zürich 😀 and works for Dianjing in 上海.', 'The 🚀 rocket left Cape Canaveral on Monday.', '王小明昨天去了北京大学。'];
  /** @type {Record<string, any>} */
  const datasets = {
    parts: dataset('parts', 'image', 'class', ['good', 'scratch', 'dent'], { inspects: true }),
    things: dataset('things', 'image', 'class', ['cat', 'dog', 'bird'], {}),
    texts: dataset('texts', 'text', 'class', ['PER', 'ORG', 'LOC'], {}),
    sounds: dataset('sounds', 'sound', 'class', ['cough', 'speech'], {}),
    tags: dataset('tags', 'image', 'classes', ['rust', 'dirt', 'wet'], {}),
    weights: dataset('weights', 'image', 'number', [], { number: { low: 1.25, high: 9.5 } }),
  };
  /** @type {any[]} */
  const examples = [];
  for (const [name, of] of Object.entries(datasets)) {
    for (let i = 0; i < 12; i += 1) {
      const image = of.modality === 'image';
      examples.push({
        ...plain, id: `${name}-${of.modality === 'sound' ? 'sound' : 'x'}${i}`, name: `${name}/${String(i).padStart(3, '0')}.png`, dataset: name,
        width: image ? width : null, height: image ? height : null,
        text: of.modality === 'text' ? texts[i % texts.length] : null,
      });
    }
  }
  // Points of the map are more than there are examples; each stands for one of them.
  const found = (/** @type {string} */ id) => {
    const [, name, i] = /^(.*)-p(\d+)$/.exec(id) ?? [];
    if (name === undefined) return examples.find((one) => one.id === id);
    return { ...examples.find((one) => one.dataset === name), id, name: `${name}/${i}.png` };
  };
  const isAnswered = (/** @type {any} */ one) => one.label !== null || one.labels !== null || one.number !== null;
  /** @type {any[]} */
  const history = [];

  /** @param {string} name @param {string} modality @param {string} task @param {string[]} classes @param {object} more */
  function dataset(name, modality, task, classes, more) {
    return { id: name, name, modality, task, n_examples: 12, n_labelled: 0, n_problems: 0, n_marked: 0, number: null, inspects: false, annotators: 1, blind: false, created_at: now, updated_at: now, classes: classes.map((one) => ({ name: one, count: 0 })), ...more };
  }

  /** @param {any} of */
  function recount(of) {
    const all = examples.filter((one) => one.dataset === of.id);
    of.n_labelled = all.filter(isAnswered).length;
    of.n_marked = all.filter((one) => one.marks.length > 0).length;
    for (const one of of.classes) one.count = all.filter((/** @type {any} */ example) => example.label === one.name || example.labels?.includes(one.name)).length;
    const values = all.flatMap((one) => (one.number === null ? [] : [one.number]));
    if (values.length > 0) of.number = { low: Math.min(...values), high: Math.max(...values) };
    return of;
  }

  /** @param {any} of @param {any} given */
  function label(of, given) {
    const one = found(given.example);
    history.push({ what: 'label', id: one.id, before: { label: one.label, labels: one.labels, number: one.number } });
    Object.assign(one, { label: given.label ?? null, labels: given.labels ?? null, number: given.number ?? null });
    recount(of);
    return { event: history.length, warning: null };
  }

  /** @param {Call} call @param {URLSearchParams} query */
  function answer({ method, path, body }, query) {
    const [, , kind, id = '', more, rest] = path.split('/').map(decodeURIComponent);
    const of = datasets[id];
    if (kind === 'status') return { way: 'local', needs_setup: false, version: '0' };
    if (kind === 'session') return { person: { id: 'p', name: 'me', role: 'owner', created_at: now }, tenant: { id: 't', name: 't' } };
    if (kind === 'jobs') return { jobs: [] };
    if (kind === 'datasets' && !id) return { datasets: Object.values(datasets) };
    if (kind === 'datasets' && of) {
      const all = examples.filter((one) => one.dataset === id);
      if (!more && method === 'PATCH') return Object.assign(of, body);
      if (!more) return recount(of);
      if (more === 'classes') return { ...of, classes: of.classes.push({ name: body.name, count: 0 }) && of.classes };
      if (more === 'examples') return { total: all.length, examples: all.slice(Number(query.get('offset') ?? 0), Number(query.get('offset') ?? 0) + Number(query.get('limit') ?? 100)) };
      if (more === 'queue') return { why: '', examples: all.filter((one) => !isAnswered(one)).slice(0, Number(query.get('limit') ?? 20)) };
      if (more === 'live') return { state: 'too_few', looked: { done: 0, total: 0 }, n_labelled: of.n_labelled, history: [], accuracy: null, chance: null, missing: null, n_drawn: null };
      if (more === 'labels' && rest === 'batch') return body.labels.map((/** @type {any} */ one) => label(of, one)).at(-1);
      if (more === 'labels') return label(of, body);
      if (more === 'events') return { events: [] };
      if (more === 'undo') {
        const last = history.pop();
        if (!last) return undefined;
        const one = found(last.id);
        Object.assign(one, last.before);
        return { example: one, undone: null, what: last.what };
      }
      if (more === 'export') return { formats: formats(of) };
      if (more === 'map') return map(id, of, nPoints);
    }
    if (kind === 'examples' && more === 'marks') {
      const one = found(id);
      history.push({ what: 'marks', id, before: { marks: one.marks } });
      one.marks = body.marks;
      return { event: history.length, n_marked: examples.filter((other) => other.dataset === one.dataset && other.marks.length > 0).length };
    }
    if (kind === 'examples') return found(id);
    if (kind === 'models' && !id) return { models: [inspector] };
    if (kind === 'models' && more === 'errors') return errors();
    if (kind === 'models' && more === 'predict') return { predictions: [predicted(width, height)] };
    if (kind === 'models') return inspector;
    return undefined;
  }

  return { answer, datasets, examples, found };
}

/** @param {any} of */
function formats(of) {
  const image = of.modality === 'image';
  return ['csv', 'jsonl', 'parquet', 'coco', 'voc', 'yolo', 'mvtec', 'label-studio', 'folders'].map((format) => {
    const picture = ['coco', 'voc', 'yolo', 'mvtec'].includes(format);
    const why = picture && !image ? `${of.modality}s are not pictures` : format === 'folders' && of.n_marked > 0 ? `marks on ${of.n_marked} examples would be lost` : null;
    return { format, title: format, fits: !(picture && !image), why, with_files: ['mvtec', 'folders'].includes(format) };
  });
}

const measure = (/** @type {number} */ value, /** @type {number} */ n) => ({ value, low: Math.max(0, value - 0.12), high: Math.min(1, value + 0.08), n });

const inspector = {
  id: 'inspector', name: 'parts 1', dataset: 'parts', kind: 'inspector', modality: 'image', created_at: now, deployed_as: [], n_examples: 80, size_bytes: 812_000,
  base: 'dinov2-small', recipe: 'patches', why: 'few defects', classes: ['scratch', 'dent'], promise: null, recall: [],
  measures: [{ metric: 'recall', on: 'out-of-fold', estimate: measure(0.91, 22) }],
  inspector: { false_alarms: 0.05, confidence: 0.95, proven: true, best_rate: 0.049, need: 59, n_good: 60, threshold: 0.62 },
};

function errors() {
  const part = (/** @type {number} */ i, /** @type {string | null} */ kind) => ({ name: `parts/00${i}.png`, example: `parts-x${i}`, kind, score: 0.4 + i / 20, p_value: 0.08 });
  return {
    confusion: { classes: [], counts: [] }, trade: [], promises: [],
    inspection: {
      trade: Array.from({ length: 21 }, (_, i) => ({ threshold: i / 20, false_alarms: (1 - i / 20) ** 3 * 0.4, missed: (i / 20) ** 2 * 0.6 })),
      kinds: [{ kind: 'scratch', found: measure(0.86, 14) }, { kind: 'dent', found: measure(0.95, 8) }],
      missed: [part(1, 'scratch'), part(2, 'dent')], alarmed_good: [part(3, null)], suspects: [part(4, null)], advice: [['show it three more dents', '再给它看三个凹痕']],
    },
  };
}

/** @param {number} width @param {number} height */
function predicted(width, height) {
  const points = [[0.55, 0.3], [0.72, 0.28], [0.78, 0.42], [0.6, 0.46]].map(([x = 0, y = 0]) => [x * width, y * height]);
  return {
    name: 'photo.png', answer: 'scratch', confidence: null, familiarity: null, problem: null, verdict: 'answered', probs: [{ class: 'scratch', probability: 0.8 }, { class: 'dent', probability: 0.2 }],
    inspected: { alarm: true, score: 0.83, threshold: 0.62, p_value: 0.004, kind: 'scratch', never_seen: false, width, height, regions: [{ points, area: 9000, peak: 0.83 }], overlay: `data:image/png;base64,${png(160, 120, true).toString('base64')}` },
  };
}

/** @param {string} id @param {any} of @param {number} n */
function map(id, of, n) {
  const classes = of.classes.map((/** @type {any} */ one) => one.name);
  const k = Math.max(2, classes.length);
  /** @type {{ state: string, ids: string[], x: number[], y: number[], labels: (number | null)[], classes: string[], suggestions: (number | null)[] }} */
  const answer = { state: 'ready', ids: [], x: [], y: [], labels: [], classes, suggestions: [] };
  let seed = 7;
  const random = () => (seed = (seed * 16807) % 2147483647) / 2147483647;
  for (let i = 0; i < n; i += 1) {
    const c = i % k;
    const angle = (c / k) * 2 * Math.PI;
    const spread = () => (random() + random() + random() - 1.5) * 0.16;
    answer.ids.push(`${id}-p${i}`);
    answer.x.push(Math.min(1, Math.max(0, 0.5 + 0.28 * Math.cos(angle) + spread())));
    answer.y.push(Math.min(1, Math.max(0, 0.5 + 0.28 * Math.sin(angle) + spread())));
    answer.labels.push(i % 3 === 0 ? null : c);
    answer.suggestions.push(random() < 0.06 ? (c + 1) % k : c);
  }
  return answer;
}
