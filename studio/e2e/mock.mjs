// A server that only remembers: what the pages for marks, tasks, inspectors and the map need, without a model behind
// it. It says what the real one says in form, not in sense.

import { createServer } from 'node:http';
import { png, wave } from './made.mjs';
import * as before from './past.mjs';

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
  const hot = png(160, 120, true);
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
      if (/\/inspected\/[^/]+\/heat$/.test(url.pathname)) return send(response, hot, 'image/png');
      const answer = world.answer(call, url.searchParams);
      if (answer === undefined) response.writeHead(404, { 'Content-Type': 'application/json' }).end('{"code":"missing","message":"not in the mock","hint":null,"request_id":"r"}');
      else send(response, Buffer.from(JSON.stringify(answer)), 'application/json');
    });
  });
  await new Promise((resolve) => server.listen(0, '127.0.0.1', () => resolve(undefined)));
  const address = server.address();
  const port = typeof address === 'object' && address ? address.port : 0;
  return { url: `http://127.0.0.1:${port}`, calls, world, picture, wave: wave(), close: () => server.close() };
}

/** @param {import('node:http').ServerResponse} response @param {Buffer} bytes @param {string} type */
function send(response, bytes, type) {
  response.writeHead(200, { 'Content-Type': type, 'Content-Length': bytes.length }).end(bytes);
}

const now = '2026-11-26T12:00:00Z';

/** @param {{ width: number, height: number, nPoints: number }} wish */
function makeWorld({ width, height, nPoints }) {
  const plain = { text: null, label: null, labels: null, number: null, by: null, suggestion: null, marks: [], senses: [], width: null, height: null };
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
  for (const one of examples) one.suggestion = suggestion(one);
  // Points of the map are more than there are examples; each stands for one of them.
  const found = (/** @type {string} */ id) => {
    const [, name, i] = /^(.*)-p(\d+)$/.exec(id) ?? [];
    if (name === undefined) return examples.find((one) => one.id === id);
    return { ...examples.find((one) => one.dataset === name), id, name: `${name}/${i}.png` };
  };
  const isAnswered = (/** @type {any} */ one) => one.label !== null || one.labels !== null || one.number !== null;
  /** What is suggested to mark, by example. @type {Record<string, any>} */
  const suggested = {};
  /** What was given, each with the request it came in. @type {any[]} */
  const history = [];
  let step = 0;

  /** @param {string} name @param {string} modality @param {string} task @param {string[]} classes @param {object} more */
  function dataset(name, modality, task, classes, more) {
    return { id: name, name, modality, senses: [], task, n_examples: 12, n_labelled: 0, n_problems: 0, n_marked: 0, number: null, inspects: false, annotators: 1, blind: false, created_at: now, updated_at: now, classes: classes.map((one) => ({ name: one, count: 0 })), ...more };
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
    const changed = [['label', one.label], ['labels', one.labels], ['number', one.number]].some(([field, before]) => JSON.stringify(given[field] ?? null) !== JSON.stringify(before));
    history.push({ step, what: 'label', id: one.id, before: { label: one.label, labels: one.labels, number: one.number } });
    Object.assign(one, { label: given.label ?? null, labels: given.labels ?? null, number: given.number ?? null });
    recount(of);
    const broken = against(of, given);
    return { event: history.length, n_labelled: of.n_labelled, changed, warning: broken ? `rule ${broken.rule.number} of the label book asks for “${broken.asks}” here` : null, broken };
  }

  /** @type {any[]} */
  const notes = [];
  /** @type {any[]} */
  const rules = [];
  /** @type {any[]} */
  const findings = [];

  /** @param {string} id @param {number} number @param {string} words @param {[string, string]} classes */
  function rule(id, number, words, [a, b]) {
    const exemplars = Array.from({ length: 8 }, (_, i) => ({ example: found(`${id}-${datasets[id].modality === 'sound' ? 'sound' : 'x'}${i}`), given: i < 4 ? a : b }));
    return { number, a, b, words, n: 14, author: 'Wang Li', date: '2026-11-26', exemplars };
  }

  /** What a rule says about a label: the newest asks for its second class, instead of the first. @param {any} of @param {any} given */
  function against(of, given) {
    const last = rules.filter((one) => of.id === 'things' && one.a === given.label).at(-1);
    return last ? { rule: last, asks: last.b } : null;
  }

  /** @param {Call} call */
  function ruled({ path, body }) {
    const finding = findings.find((one) => path.endsWith(`/${one.number}`));
    if (!finding) return undefined;
    const outcome = /** @type {Record<string, string>} */ ({ relabel: 'relabelled', keep: 'kept', remove: 'removed', rule: 'ruled' });
    finding.decision = outcome[body.decision];
    if (body.decision === 'rule') {
      rules.push(rule('things', rules.length + 1, `All of these are "${body.label ?? body.rule}".`, ['cat', 'dog']));
      finding.rule = rules.length;
    }
    return finding;
  }

  /** @param {Call} call @param {string | undefined} part @param {string | undefined} name */
  function book({ method, body }, part, name) {
    if (method === 'PUT') {
      notes.splice(0, notes.length, ...notes.filter((one) => one.class !== name));
      if (body.text !== '') notes.push({ class: name, text: body.text, by: 'me', at: now });
      return {};
    }
    if (method === 'DELETE' && part === 'rules') rules.splice(0, rules.length, ...rules.filter((one) => String(one.number) !== name));
    return { notes, rules };
  }

  /** @param {Call} call @param {URLSearchParams} query */
  function answer({ method, path, body }, query) {
    const [, , kind, id = '', more, rest, name] = path.split('/').map(decodeURIComponent);
    const of = datasets[id];
    step += 1;
    if (kind === 'status') return { way: 'local', needs_setup: false, version: '0', provider: null };
    if (kind === 'session') return { person: { id: 'p', name: 'me', role: 'owner', email: null, has_password: false, linked: false }, tenant: { id: 't', name: 't' } };
    if (kind === 'jobs') return { jobs: [] };
    if (kind === 'datasets' && !id) return { datasets: Object.values(datasets) };
    if (kind === 'datasets' && of) {
      const all = examples.filter((one) => one.dataset === id);
      if (!more && method === 'PATCH') return Object.assign(of, body);
      if (!more) return recount(of);
      if (more === 'classes') return { ...of, classes: of.classes.push({ name: body.name, count: 0 }) && of.classes };
      if (more === 'examples') return { total: all.length, examples: all.slice(Number(query.get('offset') ?? 0), Number(query.get('offset') ?? 0) + Number(query.get('limit') ?? 100)) };
      if (more === 'queue') return { why: '', examples: all.filter((one) => !isAnswered(one)).slice(0, Number(query.get('limit') ?? 20)) };
      if (more === 'live') return live(of);
      if (more === 'labels' && rest === 'batch') {
        /** @type {any[]} */
        const taken = body.labels.map((/** @type {any} */ one) => ({ ...label(of, one), example: one.example }));
        const broken = taken.filter((one) => one.broken);
        const [first] = broken;
        const { event, n_labelled } = taken.at(-1);
        return { event, n_labelled, n_changed: taken.filter((one) => one.changed).length, n_unsure: 0, broken: first ? [{ ...first.broken, examples: broken.map((one) => one.example) }] : [] };
      }
      if (more === 'labels') return label(of, body);
      if (more === 'events') return { events: [] };
      if (more === 'undo') {
        const last = history.at(-1);
        if (!last) return undefined;
        const together = history.splice(history.findIndex((one) => one.step === last.step)).reverse();
        for (const one of together) Object.assign(found(one.id), one.before);
        return { example: found(last.id), undone: null, what: last.what, n: together.length };
      }
      if (more === 'export') return { formats: formats(of) };
      if (more === 'map') return map(id, of, nPoints);
      if (more === 'book') return book({ method, path, body }, rest, name);
      if (more === 'worklist' && findings.length > 0) return method === 'POST' ? ruled({ method, path, body }) : { ...nothingFound, ...told(findings) };
      if (more === 'worklist') return method === 'POST' ? decided(worklist(of, all).findings[Number(rest) - 1], body) : worklist(of, all);
      return before.past(more, rest, query, all, body);
    }
    if (kind === 'examples' && more === 'marks') {
      const one = found(id);
      history.push({ step, what: 'marks', id, before: { marks: one.marks } });
      one.marks = body.marks;
      return { event: history.length, n_marked: examples.filter((other) => other.dataset === one.dataset && other.marks.length > 0).length };
    }
    if (kind === 'examples' && more === 'suggested-marks') return suggested[id] ?? { model: null, marks: [] };
    if (kind === 'examples' && more === 'lineage') return before.lineage;
    if (kind === 'examples') return found(id);
    if (kind === 'models' && !id) return { models: query.get('dataset') === 'things' ? before.models : query.get('dataset') === 'sounds' ? [hearing] : [inspector] };
    if (kind === 'models' && more === 'compare') return before.compared;
    if (kind === 'models' && more === 'nearest') return before.nearest(examples.filter((one) => one.dataset === 'things'));
    const tuned = kind === 'models' ? before.models.find((model) => model.id === id) : undefined;
    if (tuned && more === 'errors') return before.errors;
    if (tuned && !more) return tuned;
    if (tuned && more === 'predict') return { predictions: [{ ...predicted(width, height), inspected: null, answer: 'cat', confidence: 0.93, familiarity: 0.4, probs: [{ class: 'cat', probability: 0.93 }, { class: 'dog', probability: 0.07 }] }] };
    if (kind === 'models' && more === 'inspected' && name === 'measured') return { measured: { overlay: `data:image/png;base64,${png(160, 120, true).toString('base64')}`, outlines: [[[100, 100], [300, 120], [200, 300]]], size: [width, height] } };
    if (kind === 'models' && more === 'inspected') return { inspected: predicted(width, height).inspected, learned: true };
    if (kind === 'models' && more === 'errors') return errors();
    if (id === 'hearing' && more === 'predict') return { predictions: [heard()] };
    if (kind === 'models' && more === 'predict') return { predictions: [predicted(width, height)] };
    if (kind === 'models') return inspector;
    return undefined;
  }

  return { answer, datasets, examples, suggested, found, notes, rules, findings, rule };
}

/** What a model would say of tags and weights. @param {any} one */
function suggestion({ dataset, id }) {
  const i = Number(/\d+$/.exec(id)?.[0]);
  const nothing = { label: null, probability: null, labels: null, number: null, low: null, high: null };
  const labels = [[{ label: 'rust', probability: 0.97 }, { label: 'wet', probability: 0.61 }], [], [{ label: 'dirt', probability: 0.88 }]];
  if (dataset === 'tags') return { ...nothing, labels: labels[i % 3] };
  return dataset === 'weights' ? { ...nothing, number: 4.2 + i, low: 3.1 + i, high: 5.4 + i } : null;
}

/** @param {any} of */
function live(of) {
  const plain = { state: 'too_few', looked: { done: 0, total: 0 }, n_labelled: of.n_labelled, history: [], metric: 'accuracy', accuracy: null, further: [], chance: null, missing: null, n_drawn: null };
  const past = (/** @type {number[]} */ values, /** @type {number} */ half) => values.map((value, i) => ({ n_labelled: 10 + 10 * i, accuracy: { value, low: value - half, high: value + half, n: 8 + 5 * i } }));
  const ready = (/** @type {any[]} */ history, /** @type {object} */ more) => ({ ...plain, state: 'ready', n_drawn: 23, history, accuracy: history.at(-1).accuracy, ...more });
  if (of.task === 'classes') return ready(past([0.71, 0.78, 0.84, 0.86], 0.06), { metric: 'label-accuracy', chance: 0.68, further: [{ metric: 'micro-f1', estimate: measure(0.79, 23) }, { metric: 'subset-accuracy', estimate: measure(0.61, 23) }] });
  if (of.task === 'number') return ready(past([1.9, 1.3, 1.02, 0.84], 0.3), { metric: 'mae', chance: 2.4, further: [{ metric: 'rmse', estimate: { value: 1.12, low: 0.8, high: 1.5, n: 23 } }, { metric: 'r2', estimate: measure(0.81, 23) }] });
  return plain;
}

const nothingFound = { audited_at: now, stale: false, advice: [], checks: [], cautions: [], kinds: [], n_examples: 0, total: 0, findings: [] };

/** Findings with their counts, all on one page. @param {any[]} findings */
function told(findings) {
  const faults = [...new Set(findings.map((one) => one.fault))];
  const about = (/** @type {any[]} */ some) => new Set(some.flatMap((one) => one.examples.map((/** @type {any} */ example) => example.id))).size;
  const kind = (/** @type {string} */ fault) => {
    const these = findings.filter((one) => one.fault === fault);
    return { fault, sense: null, title: these[0].title, n: these.length, n_open: these.filter((one) => one.decision === null).length, n_examples: about(these) };
  };
  return { kinds: faults.map(kind), n_examples: about(findings), total: findings.length, findings };
}

/** @param {any} of @param {any[]} all */
function worklist(of, all) {
  const said = (/** @type {object} */ answer) => ({ label: null, labels: null, number: null, ...answer });
  const finding = (/** @type {number} */ number, /** @type {any} */ given, /** @type {any} */ suggested) => ({
    number, fault: 'label', sense: null, title: 'label errors', meaning: 'the label is probably wrong', action: 'relabel', action_text: 'look, and give the suggested label if it is right', about: null, given, suggested,
    score: number / 10, examples: [all[number]], neighbours: all.slice(4, 7).map((example) => ({ example, distance: 0.1 })), conflict: null, rule: null, decision: null,
  });
  const findings = {
    class: [], classes: [finding(1, said({ labels: ['rust'] }), said({ labels: ['dirt', 'wet'] })), finding(2, said({ labels: ['wet'] }), said({ labels: [] }))],
    number: [finding(1, said({ number: 62 }), said({ number: 6.2 }))],
  };
  return { ...nothingFound, checks: [{ fault: 'label', sense: null, title: 'label errors', flagged: 2, n: 12 }], ...told(findings[/** @type {'class' | 'classes' | 'number'} */ (of.task)]) };
}

/** @param {any} finding @param {any} body */
function decided(finding, { decision }) {
  return { ...finding, decision: { relabel: 'relabelled', keep: 'kept', remove: 'removed' }[/** @type {'relabel' | 'keep' | 'remove'} */ (decision)] };
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
  id: 'inspector', name: 'parts 1', dataset: 'parts', kind: 'inspector', modality: 'image', senses: [], created_at: now, deployed_as: [], n_examples: 80, size_bytes: 812_000,
  seq: null, base: 'dinov2-small', recipe: 'patches', why: 'few defects', classes: ['scratch', 'dent'], promise: null, recall: [],
  measures: [{ metric: 'recall', on: 'out-of-fold', estimate: measure(0.91, 22) }],
  inspector: { false_alarms: 0.05, confidence: 0.95, proven: true, best_rate: 0.049, need: 59, n_good: 60, threshold: 0.62 },
};

const hearing = { ...inspector, id: 'hearing', name: 'sounds 1', dataset: 'sounds', kind: 'answers', modality: 'sound', classes: ['cough', 'speech'], inspector: null };

/** What is said of a long sound. */
function heard() {
  const stretch = (/** @type {number} */ from, /** @type {number} */ to, /** @type {string} */ answer, /** @type {string} */ verdict, /** @type {number} */ confidence) => ({
    seconds: [from, to], answer, verdict, confidence, familiarity: 0.4, probs: [{ class: answer, probability: confidence }],
  });
  const stretches = [
    stretch(0, 0.5, 'speech', 'answered', 0.97), stretch(0.5, 0.75, 'cough', 'answered', 0.91), stretch(0.75, 1, 'speech', 'dont-know', 0.52),
    stretch(1, 1.5, 'cough', 'unproven', 0.88), stretch(1.5, 2, 'speech', 'answered', 0.99),
  ];
  return { name: 'long.wav', answer: null, verdict: null, confidence: null, familiarity: null, problem: null, senses: [], probs: [], inspected: null, stretches };
}

function errors() {
  const part = (/** @type {number} */ i, /** @type {string | null} */ kind) => ({ name: `parts/00${i}.png`, example: `parts-x${i}`, kind, score: 0.4 + i / 20, p_value: 0.08 });
  return {
    confusion: { classes: [], counts: [] }, trade: [], promises: [], curve: null, advice: [],
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
    name: 'photo.png', answer: 'scratch', confidence: null, familiarity: null, problem: null, verdict: 'answered', senses: [], stretches: [], probs: [{ class: 'scratch', probability: 0.8 }, { class: 'dent', probability: 0.2 }],
    inspected: { alarm: true, score: 0.83, threshold: 0.62, p_value: 0.004, kind: 'scratch', never_seen: false, width, height, regions: [{ points, area: 9000, peak: 0.83, seconds: null }], overlay: `data:image/png;base64,${png(160, 120, true).toString('base64')}` },
  };
}

/** @param {string} id @param {any} of @param {number} n */
function map(id, of, n) {
  const classes = of.classes.map((/** @type {any} */ one) => one.name);
  const k = Math.max(2, classes.length);
  /** @type {{ state: string, ids: string[], x: number[], y: number[], classes: string[], disagrees: boolean[], [said: string]: any }} */
  const answer = { state: 'ready', ids: [], x: [], y: [], classes, labels: [], suggestions: [], sets: [], suggested_sets: [], numbers: [], suggested_numbers: [], disagrees: [] };
  const lists = /** @type {Record<string, [string, string]>} */ ({ class: ['labels', 'suggestions'], classes: ['sets', 'suggested_sets'], number: ['numbers', 'suggested_numbers'] });
  const [given, suggested] = lists[of.task] ?? ['labels', 'suggestions'];
  const said = (/** @type {number} */ c) => (of.task === 'class' ? c : of.task === 'classes' ? [c, ...(c === 0 ? [1] : [])] : 2 + 3 * c + Math.round(10 * random()) / 10);
  let seed = 7;
  const random = () => (seed = (seed * 16807) % 2147483647) / 2147483647;
  for (let i = 0; i < n; i += 1) {
    const c = i % k;
    const angle = (c / k) * 2 * Math.PI;
    const spread = () => (random() + random() + random() - 1.5) * 0.16;
    answer.ids.push(`${id}-p${i}`);
    answer.x.push(Math.min(1, Math.max(0, 0.5 + 0.28 * Math.cos(angle) + spread())));
    answer.y.push(Math.min(1, Math.max(0, 0.5 + 0.28 * Math.sin(angle) + spread())));
    answer[given].push(i % 3 === 0 ? null : said(c));
    const against = random() < 0.06;
    answer[suggested].push(said(against ? (c + 1) % k : c));
    answer.disagrees.push(against && i % 3 !== 0);
  }
  return answer;
}
