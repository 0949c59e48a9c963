// Three people mark the same photos and texts on a team's server: each by themselves, then an editor looks at what all of them marked, and decides.
//
// DIANJING   the path of `dianjing`
// OUT        where the screenshots go (default: e2e/out)
// CHROMIUM   the browser (default: /usr/bin/chromium)

import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { mkdir, mkdtemp, rm } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { after, before, test } from 'node:test';
import { chromium } from 'playwright-core';
import { createServer } from 'vite';
import { png } from './made.mjs';
import { programOf } from './program.mjs';

const { DIANJING, OUT = new URL('./out', import.meta.url).pathname, CHROMIUM = '/usr/bin/chromium' } = process.env;
const LIMIT = { timeout: 120_000 };
const PASSWORD = 'a long password';

/** @typedef {import('playwright-core').Page} Page */
/** @type {import('node:child_process').ChildProcess} */
let server;
/** @type {import('vite').ViteDevServer} */
let pages;
/** @type {import('playwright-core').Browser} */
let browser;
/** @type {string} */
let dir;
let base = '';
/** @type {Record<'ann' | 'ben' | 'eve', Page>} */
let people;
const made = { parts: '', letters: '' };
/** @type {string[]} */
const complaints = [];

before(async () => {
  assert(DIANJING, 'set DIANJING');
  await mkdir(OUT, { recursive: true });
  dir = await mkdtemp(path.join(tmpdir(), 'together-'));
  server = spawn(DIANJING, ['serve', '--dir', dir, '--listen', '127.0.0.1:0'], { stdio: ['ignore', 'pipe', 'pipe'] });
  const [address, key] = await Promise.all([said(server.stdout, /(http:\S+?)\/?\s/), said(server.stderr, /with this key: (\S+)/)]);
  pages = await createServer({ root: new URL('..', import.meta.url).pathname, logLevel: 'error', server: { port: 0, hmr: false, watch: null, proxy: { '/v1': address } } });
  await pages.listen();
  base = (pages.resolvedUrls?.local[0] ?? '').replace(/\/$/, '');
  browser = await chromium.launch({ executablePath: CHROMIUM, args: ['--no-sandbox'] });
  const ann = await visit({ locale: 'en-GB', colorScheme: 'light' });
  const owner = programOf(ann.request, base);
  await owner.post('/v1/setup', { key, tenant: 'Works', name: 'ann', password: PASSWORD });
  const labeller = async (/** @type {string} */ name, /** @type {import('playwright-core').BrowserContextOptions} */ look) => {
    await owner.post('/v1/people', { name, role: 'labeller', password: PASSWORD });
    const page = await visit(look);
    await programOf(page.request, base).post('/v1/login', { name, password: PASSWORD });
    return page;
  };
  people = { ann, ben: await labeller('ben', { locale: 'en-GB', colorScheme: 'light' }), eve: await labeller('eve', { locale: 'zh-CN', colorScheme: 'dark' }) };
  made.parts = await owner.bring('parts', Array.from({ length: 3 }, (_, i) => ({ path: `${i}.png`, bytes: png(480, 360, i > 0, i) })));
  made.letters = await owner.bring('letters', [{ path: 'letters.csv', bytes: Buffer.from('text\nAnn flies from Rome to 北京 with Ben\nNothing to see here\n') }]);
  for (const [dataset, name] of [[made.parts, 'dent'], [made.parts, 'scratch'], [made.letters, 'PER'], [made.letters, 'LOC']]) await owner.post(`/v1/datasets/${dataset}/classes`, { name });
  for (const dataset of Object.values(made)) await owner.ask('PATCH', `/v1/datasets/${dataset}`, { data: { annotators: 3, blind: true } });
}, LIMIT);

after(async () => {
  await browser?.close();
  await pages?.close();
  server?.kill('SIGINT');
  await new Promise((resolve) => server?.on('close', resolve) ?? resolve(null));
  await rm(dir, { recursive: true, force: true });
  assert.deepEqual(complaints, [], 'a page broke');
});

/** The first words of a stream that match. @param {import('node:stream').Readable | null} stream @param {RegExp} wanted @returns {Promise<string>} */
function said(stream, wanted) {
  return new Promise((resolve) => {
    let text = '';
    stream?.on('data', (piece) => {
      text += piece;
      const found = wanted.exec(text)?.[1];
      if (found) resolve(found);
    });
  });
}

/** @param {import('playwright-core').BrowserContextOptions} look */
async function visit(look) {
  const context = await browser.newContext({ viewport: { width: 1280, height: 860 }, reducedMotion: 'reduce', ...look });
  await context.addInitScript({ path: createRequire(import.meta.url).resolve('axe-core/axe.min.js') });
  const page = await context.newPage();
  page.setDefaultTimeout(15_000);
  page.on('pageerror', (error) => complaints.push(error.message));
  page.on('console', (message) => {
    if (message.type() === 'error') complaints.push(message.text());
  });
  return page;
}

/** @param {Page} page @param {string} hash */
async function open(page, hash) {
  await page.goto('about:blank');
  await page.goto(`${base}/#${hash}`, { timeout: 60_000 });
}

const shot = (/** @type {Page} */ page, /** @type {string} */ name) => page.screenshot({ path: path.join(OUT, `together-${name}.png`) });
const ask = (/** @type {Page} */ page) => programOf(page.request, base);
const box = (/** @type {string} */ name, /** @type {number} */ x, /** @type {number} */ y) => ({ class: name, shape: 'box', x, y, width: 120, height: 80 });

/** The examples of a data set in their order. @param {string} dataset */
const examplesOf = async (dataset) => /** @type {any[]} */ ((await ask(people.ann).get(`/v1/datasets/${dataset}/examples`)).examples);

/** What axe finds serious. @param {Page} page */
async function wrongOn(page) {
  await page.evaluate(() => Promise.all(document.getAnimations().map((one) => one.finished.catch(() => {}))));
  const found = await page.evaluate(async () => (await Reflect.get(globalThis, 'axe').run(document, { resultTypes: ['violations'] })).violations);
  return found.filter((/** @type {any} */ one) => ['serious', 'critical'].includes(one.impact)).flatMap((/** @type {any} */ one) => one.nodes.map((/** @type {any} */ node) => `${one.id} at ${node.target.join(' ')}`));
}

test('each marks by themselves, also that there is nothing', LIMIT, async () => {
  const { ben, eve } = people;
  await open(ben, `/d/${made.parts}/label`);
  await ben.getByTestId('current').waitFor();
  const first = await ben.getByTestId('current').getAttribute('data-example');
  await ben.keyboard.press('m');
  await ben.getByTestId('marking').waitFor();
  await ben.keyboard.press('b');
  await ben.keyboard.press('1');
  for (const key of ['Shift+ArrowLeft', 'Shift+ArrowUp', 'Enter', 'Shift+ArrowRight', 'Shift+ArrowRight', 'Shift+ArrowDown', 'Enter']) await ben.keyboard.press(key);
  await ben.getByTestId('marks').getByText('dent').waitFor();
  assert.equal(await ben.getByTestId('others').count(), 0, 'who labels is shown nobody else');
  await shot(ben, '1-own');
  await ben.keyboard.press('Control+Enter');
  await ben.waitForFunction((was) => document.querySelector('[data-testid=current]')?.getAttribute('data-example') !== was, first);
  // Nothing is on the next one: that is said with the same key.
  await ben.keyboard.press('Control+Enter');
  await ask(ben).until(async () => {
    const given = (await ask(ben).get(`/v1/datasets/${made.parts}/examples`)).examples.filter((/** @type {any} */ one) => one.own_marks.event > 0);
    return given.length === 2 && given.some((/** @type {any} */ one) => one.own_marks.marks.length === 0);
  }, 'what Ben marked');
  await open(eve, `/d/${made.parts}/label`);
  await eve.getByTestId('current').waitFor();
  assert.equal(await eve.getByTestId('current').getAttribute('data-example'), first, 'what others began comes first');
  // What is marked in this data set is marked from the first example on.
  await eve.getByTestId('marking').waitFor();
  assert.equal(await eve.getByTestId('marks').count(), 0, 'and nothing of it is shown');
  await shot(eve, '2-blind-zh');
});

test('an editor sees the others once they have marked, and decides by keyboard', LIMIT, async () => {
  const { ann, ben, eve } = people;
  const [one, two, three] = await examplesOf(made.parts);
  const put = (/** @type {Page} */ who, /** @type {any} */ example, /** @type {object[]} */ marks) => ask(who).ask('PUT', `/v1/examples/${example.id}/marks`, { data: { marks } });
  for (const example of [one, two, three]) {
    await put(ben, example, [box('dent', 60, 50), box('scratch', 280, 200)]);
    await put(eve, example, [box('dent', 70, 56), { class: 'dent', shape: 'polygon', points: [[300, 60], [420, 80], [400, 170], [310, 150]] }]);
  }
  await open(ann, `/d/${made.parts}/gallery?q=0.png`);
  await ann.getByTestId('grid').getByRole('option').first().click();
  await ann.getByTestId('marking').waitFor();
  await ann.keyboard.press('m');
  await ann.getByText('Nothing is marked yet').waitFor();
  assert.equal(await ann.getByTestId('others').count(), 0, 'first one’s own');
  await ann.keyboard.press('b');
  await ann.keyboard.press('1');
  for (const key of ['Shift+ArrowLeft', 'Shift+ArrowUp', 'Enter', 'Shift+ArrowRight', 'Shift+ArrowRight', 'Shift+ArrowDown', 'Enter']) await ann.keyboard.press(key);
  await ann.getByTestId('others').waitFor();
  await ann.keyboard.press('o');
  await ann.getByTestId('layer').first().waitFor();
  assert.match((await ann.getByTestId('others-agreement').textContent()) ?? '', /% agreement/);
  assert.equal(await ann.getByTestId('layer').count(), 4, 'what most found, and three people');
  await ann.keyboard.press('j');
  await shot(ann, '3-editor-others');
  assert.deepEqual(await wrongOn(ann), []);
  await ann.keyboard.press('t');
  await ann.getByTestId('others-decided').waitFor();
  const told = await ask(ann).get(`/v1/examples/${one.id}/markings`);
  assert.deepEqual([told.decision.took, told.decision.by], ['one', 'ann']);
  // The same key takes it back.
  await ann.keyboard.press('t');
  await ann.getByTestId('others-decided').waitFor({ state: 'detached' });
  assert.equal((await ask(ann).get(`/v1/examples/${one.id}/markings`)).decision, null);
});

test('disputes of marks are decided on the page of agreement', LIMIT, async () => {
  const { ann } = people;
  await open(ann, `/d/${made.parts}/agreement`);
  await ann.getByTestId('marks-dispute').waitFor();
  await ann.getByTestId('example-image').evaluate((/** @type {HTMLImageElement} */ image) => image.decode());
  await ann.getByTestId('layer').first().waitFor();
  await shot(ann, '4-disputes');
  assert.deepEqual(await wrongOn(ann), []);
  assert.match((await ann.getByTestId('marks-left').textContent()) ?? '', /3 of 3/);
  const first = await ann.getByTestId('marks-dispute').getAttribute('data-example');
  await ann.keyboard.press('ArrowRight');
  await ann.keyboard.press('ArrowLeft');
  await ann.getByTestId('layer').first().waitFor();
  await ann.keyboard.press('Enter');
  await ann.waitForFunction((was) => document.querySelector('[data-testid=marks-dispute]')?.getAttribute('data-example') !== was, first);
  await ann.getByText('2 of 3 left').waitFor();
  const decided = await ask(ann).get(`/v1/examples/${first}`);
  const told = await ask(ann).get(`/v1/examples/${first}/markings`);
  assert.equal(told.decision.took, 'most');
  assert.deepEqual(decided.marks, told.most.map((/** @type {any} */ one) => one.mark));
  await ann.keyboard.press('Backspace');
  await ann.getByTestId('others-decided').waitFor();
  await shot(ann, '5-decided');
  await open(ann, `/d/${made.parts}/gallery`);
  await ann.getByTestId('export-open').click();
  await ann.getByTestId('unsettled').waitFor();
  await shot(ann, '6-export');
});

test('words that people marked stand beside one another, in Chinese and in the dark', LIMIT, async () => {
  const { ann, ben, eve } = people;
  const [letter] = await examplesOf(made.letters);
  const span = (/** @type {string} */ name, /** @type {number} */ start, /** @type {number} */ end) => ({ class: name, shape: 'span', start, end });
  for (const [who, marks] of /** @type {[Page, object[]][]} */ ([[ann, [span('PER', 0, 3), span('LOC', 15, 19)]], [ben, [span('PER', 0, 3), span('LOC', 23, 25), span('PER', 31, 34)]], [eve, [span('PER', 0, 3), span('LOC', 23, 25)]]])) {
    await ask(who).ask('PUT', `/v1/examples/${letter.id}/marks`, { data: { marks } });
  }
  const page = await (await browser.newContext({ viewport: { width: 1280, height: 860 }, locale: 'zh-CN', colorScheme: 'dark', storageState: await ann.context().storageState() })).newPage();
  await page.addInitScript({ path: createRequire(import.meta.url).resolve('axe-core/axe.min.js') });
  page.on('pageerror', (error) => complaints.push(error.message));
  await open(page, `/d/${made.letters}/agreement`);
  await page.getByTestId('marks-dispute').waitFor();
  await page.getByTestId('layer').first().waitFor();
  await shot(page, '7-words-zh');
  assert.deepEqual(await wrongOn(page), []);
  await page.setViewportSize({ width: 390, height: 844 });
  await shot(page, '8-phone-zh');
  assert(await page.evaluate(() => document.documentElement.scrollWidth <= innerWidth), 'nothing hangs over on a phone');
});
