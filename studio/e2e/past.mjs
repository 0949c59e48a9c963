// What the mock says of the past: states of a data set, what changed between them, models and what taught them.

const at = (/** @type {number} */ minute) => `2026-11-26T11:${String(minute).padStart(2, '0')}:00Z`;
const event = (/** @type {string} */ kind, /** @type {number} */ minute, /** @type {object} */ more = {}) => ({
  id: `${kind}-${minute}`, kind, at: at(minute), by: null, name: null, model: null, n_examples: null, n_findings: null, from: null, to: null, state: null, ...more,
});
const did = (/** @type {string} */ by, /** @type {string} */ what, /** @type {string} */ act, /** @type {number} */ n) => ({ by, what, act, n });

const points = [
  { seq: 61, since: 58, came: 0, changes: [did('Ann', 'label', 'give', 2), did('Ben', 'label', 'undo', 1)], events: [] },
  { seq: 58, since: 50, came: 0, changes: [did('Ann', 'label', 'decide', 6), did('Ann', 'presence', 'remove', 1)], events: [event('name', 50, { name: 'checked by Ann', by: 'Ann' }), event('tune', 48, { model: 'second', name: 'things 2' })] },
  { seq: 50, since: 44, came: 0, changes: [did('Ben', 'label', 'rename', 5)], events: [event('audit', 40, { n_findings: 7 }), event('rename', 38, { from: 'kitten', to: 'cat', by: 'Ben' })] },
  { seq: 44, since: 24, came: 12, changes: [did('Ben', 'label', 'give', 8)], events: [event('tune', 30, { model: 'first', name: 'things 1' })] },
  { seq: 24, since: 0, came: 12, changes: [], events: [event('import', 10, { n_examples: 12 })] },
];

const group = (/** @type {string} */ kind, /** @type {string | null} */ before, /** @type {string | null} */ after, /** @type {number} */ n, renamed = false) => ({
  kind, key: JSON.stringify([before, after]), before, after, n, renamed,
});

/** @param {number} from @param {number} to */
function diff(from, to) {
  const counts = (/** @type {number} */ seq) => ({ seq, n_examples: seq === 0 ? 0 : 24, n_labelled: Math.min(seq, 22) });
  const none = { before: counts(from), after: counts(to), added: 0, removed: 0, relabelled: 0, marked: 0, renamed: [], groups: [], more_groups: 0, more_examples: 0 };
  if (from === to) return none;
  return {
    ...none, added: 12, removed: 1, relabelled: 6, renamed: [{ from: 'kitten', to: 'cat' }],
    groups: [group('added', null, null, 12), group('relabelled', 'kitten', 'cat', 5, true), group('relabelled', 'dog', 'cat', 4), group('relabelled', null, 'bird', 2), group('removed', 'dog', null, 1)],
  };
}

const same = { metric: 'accuracy', difference: { value: 0.041, low: -0.012, high: 0.094, n: 180 }, n_lost: 3, n_won: 10, p_value: 0.092, told_apart: false, n_relabelled: 6 };

const gains = [{
  audited_at: at(40), seq: 50, n_changed: 7, n_other: 3,
  advice: [{ sentence: 'look at 7 labels of `dog` that are probably wrong', n: 7, n_decided: 7, n_kept: 1, gain: { value: 0.032, low: 0.004, high: 0.06 } }],
  before: { id: 'first', name: 'things 1', seq: 44 }, after: { id: 'second', name: 'things 2', seq: 58 }, realised: same,
}];

const estimate = (/** @type {number} */ value, /** @type {number} */ half, /** @type {number} */ n) => ({ value, low: value - half, high: Math.min(1, value + half), n });
const law = (/** @type {number} */ n) => 1 - (0.04 + 0.9 * n ** -0.5);

const curve = {
  n_labels: 180,
  measured: [36, 63, 90, 126, 153, 180].map((n) => ({ n_labels: n, accuracy: estimate(law(n) + (n % 9) / 1000, 0.3 / Math.sqrt(n), 12) })),
  expected: Array.from({ length: 19 }, (_, i) => 18 * (i + 2)).map((n) => ({ n_labels: n, accuracy: estimate(law(n), 0.01 + n / 18_000, n) })),
};

const model = (/** @type {string} */ id, /** @type {string} */ name, /** @type {number} */ seq, /** @type {number} */ minute, /** @type {number} */ value) => ({
  id, name, seq, dataset: 'things', kind: 'answers', modality: 'image', created_at: at(minute), deployed_as: [], n_examples: 180, size_bytes: 412_000, base: 'efficientnet-lite2',
  recipe: 'logistic (pooled)', why: 'least loss out of fold on `180` rows: 28.6 % less', classes: ['cat', 'dog', 'bird'], promise: null, inspector: null,
  recall: [], measures: [{ metric: 'accuracy', on: 'out-of-fold', estimate: estimate(value, 0.04, 180) }],
});

export const models = [model('second', 'things 2', 58, 48, 0.92), model('first', 'things 1', 44, 30, 0.88)];

export const errors = {
  confusion: { classes: ['cat', 'dog', 'bird'], counts: [[58, 2, 0], [4, 55, 1], [0, 3, 57]] }, trade: [], promises: [], inspection: null, curve,
  advice: [['Add examples of `bird`: it has only 9.', '请补充“bird”的样本：目前只有 9 个。'], ['You have 180 labels; with 360 expect 90 to 93 % instead of 89 %.', '现有 180 个标注；增到 360 个，预计从 89 % 升到 90 至 93 %。']],
};

/** Goes back: one more state, as long as nobody changed anything since. @param {{ seq: number, if_seq?: number, dry_run?: boolean }} asked */
function restore({ seq, if_seq: seen, dry_run: dry }) {
  const now = points[0]?.seq ?? 0;
  const changed = { n_relabelled: 6, n_marked: 0, n_removed: 12, n_returned: 1 };
  if (dry) return { seq: now, ...changed };
  if (seen !== now) return undefined;
  const minute = Math.min(59, 50 + points.length);
  if (points[0]?.events.length === 0) points[0].events.push(event('left', minute, { by: 'me' }));
  points.unshift({ seq: now + 19, since: now, came: 0, changes: [did('me', 'label', 'restore', 6), did('me', 'presence', 'remove', 12)], events: [event('restore', minute, { state: seq, by: 'me' })] });
  return { seq: now + 19, ...changed };
}

/** What a data set says of its past; `all` are its examples. @param {string} more @param {string | undefined} rest @param {URLSearchParams} query @param {any[]} all @param {any} body */
export function past(more, rest, query, all, body) {
  if (more === 'history') return { points };
  if (more === 'states' && rest === 'restore') return restore(body);
  if (more === 'states') return { id: 'state' };
  if (more === 'gains') return { audits: gains };
  if (more === 'diff' && rest === 'examples') {
    const offset = Number(query.get('offset') ?? 0);
    return { examples: all.slice(offset, offset + 12).map(({ id, name, text }) => ({ id, name, text, before: 'dog', after: 'cat' })) };
  }
  if (more === 'diff') return diff(Number(query.get('from')), Number(query.get('to')));
  if (more === 'worklist') {
    const check = { fault: 'label', sense: null, title: 'wrong labels', flagged: 0, n: 180 };
    return { audited_at: at(40), stale: true, advice: [], cautions: [], checks: [check], kinds: [], n_examples: 0, total: 0, findings: [] };
  }
  return undefined;
}

/** Two models on the same examples. */
export const compared = { same, why_not: null, taught: { dataset: 'things', from: 44, to: 58 } };

/** @param {any[]} all */
export function nearest(all) {
  return { state: 'ready', dataset: 'things', seq: 58, inputs: [all.slice(0, 8).map((example) => ({ example, taught: 'cat' }))] };
}

export const lineage = { imported_at: at(10), came_from: null, there: true, seq: 3, taught: models.map(({ id, name, created_at }) => ({ model: id, name, created_at, label: 'cat' })) };
