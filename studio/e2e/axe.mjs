// Every page with real data, looked through by axe-core: light in English, dark in Chinese; those for labelling and trying on a phone as well. What is
// moderate, serious or critical fails.
//
// BASE_URL   where the server is, such as http://127.0.0.1:7878
// ENTER_KEY  the one-time key of `dianjing studio`
// DATA       a folder with one folder of photos per class
// CHROMIUM   the browser (default: /usr/bin/chromium)

import assert from 'node:assert/strict';
import { mkdtemp, readFile, readdir, rm, writeFile } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { after, before, test } from 'node:test';
import { chromium } from 'playwright-core';
import { png } from './made.mjs';
import { copyPhotos, truthOf } from './photos.mjs';
import { programOf } from './program.mjs';
import { complaints, hours } from './texts.mjs';

const { BASE_URL, ENTER_KEY, DATA, CHROMIUM = '/usr/bin/chromium' } = process.env;
const LIMIT = { timeout: 240_000 };

/** @typedef {import('playwright-core').Page} Page */

/** @type {import('playwright-core').Browser} */
let browser;
/** @type {Awaited<ReturnType<import('playwright-core').BrowserContext['storageState']>>} */
let entered;
/** @type {string} */
let folder;
/** Photos that were not brought in. */
const heldOut = { photo: '', defect: '' };
/** Ids of what was made. */
const made = { photos: '', tiles: '', complaints: '', hours: '', model: '', inspector: '' };

before(async () => {
  assert(BASE_URL && ENTER_KEY && DATA, 'set BASE_URL, ENTER_KEY and DATA');
  folder = await mkdtemp(path.join(tmpdir(), 'axe-'));
  browser = await chromium.launch({ executablePath: CHROMIUM, args: ['--no-sandbox'] });
  const page = await (await browser.newContext({ locale: 'en-GB' })).newPage();
  await page.goto(`${BASE_URL}/#/enter/${ENTER_KEY}`);
  await page.getByTestId('drop-zone').waitFor();
  entered = await page.context().storageState();
  await prepare(programOf(page.request, BASE_URL));
  await page.context().close();
}, LIMIT);

after(async () => {
  await browser?.close();
  if (folder) await rm(folder, { recursive: true, force: true });
});

/** Something of everything that a page shows. @param {ReturnType<typeof programOf>} program */
async function prepare(program) {
  const photos = path.join(folder, 'photos');
  heldOut.photo = (await copyPhotos(DATA ?? '', photos, { classes: 3, perClass: 12 })).heldOut;
  heldOut.defect = path.join(folder, 'defect.png');
  await writeFile(heldOut.defect, part('break', 99).bytes);
  const [photo, tile, texts, numbers] = await Promise.all([
    program.bring('photos', await filesIn(photos, (name, i) => `${i === 0 ? 'hat' : truthOf(name)}/${name}`)),
    program.bring('tiles', [...Array.from({ length: 24 }, (_, i) => part('good', i)), ...Array.from({ length: 8 }, (_, i) => part('break', i))]),
    program.bring('complaints', [{ path: 'complaints.csv', bytes: Buffer.from(complaints()) }]),
    program.bring('hours', [{ path: 'hours.csv', bytes: Buffer.from(hours()) }]),
  ]);
  Object.assign(made, { photos: photo, tiles: tile, complaints: texts, hours: numbers });
  await Promise.all([photo, texts].map((id) => program.audit(id)));
  made.model = await program.tune(photo, { name: 'photos 1' });
  made.inspector = await program.tune(tile, { name: 'tiles 1', false_alarms: 0.1 });
  await program.tune(photo, { name: 'photos 2' });
  await program.deploy(made.model, 'photos');
  await program.ask('POST', '/v1/predict/photos', { data: { inputs: [{ image: (await readFile(heldOut.photo)).toString('base64') }] } });
  // Some are left to be labelled, and one says what the label book holds.
  const { examples } = await program.get(`/v1/datasets/${photo}/examples?limit=500`);
  const labels = examples.slice(-4).map((/** @type {any} */ one) => ({ example: one.id, label: null }));
  await program.post(`/v1/datasets/${photo}/labels/batch`, { labels });
  await program.ask('PUT', `/v1/datasets/${photo}/book/notes/hat`, { data: { text: 'Whatever is worn on the head.' } });
  await program.post(`/v1/datasets/${photo}/states`, { name: 'before the fair' });
  const [broken] = (await program.get(`/v1/datasets/${tile}/examples?label=break`)).examples;
  await program.ask('PUT', `/v1/examples/${broken.id}/marks`, { data: { marks: [{ class: 'break', shape: 'box', x: 20, y: 20, width: 40, height: 30 }], milliseconds: null } });
  await Promise.all([photo, tile, texts, numbers].map((id) => program.looked(id)));
}

/** A small made photo: an inspector of larger ones takes a minute to tune. @param {'good' | 'break'} kind @param {number} i */
function part(kind, i) {
  return { path: `${kind}/${i}.png`, bytes: png(96, 72, kind === 'break', i) };
}

/** @param {string} from @param {(name: string, i: number) => string} as */
async function filesIn(from, as) {
  const names = (await readdir(from)).sort();
  return Promise.all(names.map(async (name, i) => ({ path: as(name, i), bytes: await readFile(path.join(from, name)) })));
}

/**
 * Every page by its address: what says that it is there, and what is pressed on it before it is looked through.
 * @returns {[name: string, at: string, ready: string, act?: (page: Page) => Promise<unknown>][]}
 */
function everyPage() {
  const of = (/** @type {string} */ id, /** @type {string} */ step) => `/d/${id}/${step}`;
  const first = (/** @type {Page} */ page) => page.getByTestId('grid').getByRole('option').first().click();
  const dialog = (/** @type {Page} */ page) => page.getByRole('dialog').waitFor();
  const tick = async (/** @type {Page} */ page) => {
    for (const box of await page.getByRole('checkbox').all()) await box.check();
    await page.getByTestId('comparison').waitFor();
  };
  const tried = (/** @type {string} */ file) => async (/** @type {Page} */ page) => {
    await page.getByTestId('try-file').setInputFiles(file);
    await page.getByTestId('answer').waitFor({ timeout: 60_000 });
  };
  return [
    ['home', '/', 'dataset-card'],
    ['keys', '/', 'drop-zone', async (page) => (await page.keyboard.press('?'), dialog(page))],
    ['gallery', of(made.photos, 'gallery'), 'grid', async (page) => (await page.getByTestId('grid').focus(), await page.keyboard.press('x'))],
    ['gallery of findings', of(made.photos, 'gallery?finding=any&order=doubt'), 'filter-finding'],
    ['gallery of nothing', of(made.photos, 'gallery?q=nothing-is-called-so'), 'search'],
    ['gallery of texts', of(made.complaints, 'gallery'), 'grid'],
    ['example', of(made.photos, 'gallery'), 'grid', async (page) => (await first(page), dialog(page))],
    ['example with marks', of(made.tiles, 'gallery?state=marked'), 'grid', async (page) => (await first(page), page.getByTestId('marks').waitFor())],
    ['add more', of(made.photos, 'gallery?add=1'), 'add-more-dialog'],
    ['export', of(made.photos, 'gallery'), 'export-open', async (page) => (await page.getByTestId('export-open').click(), dialog(page))],
    ['map', of(made.photos, 'map'), 'map', async (page) => (await page.getByTestId('groups').getByRole('button').first().click(), page.getByTestId('chosen').waitFor())],
    ['label', of(made.photos, 'label'), 'current', (page) => page.keyboard.press('h')],
    ['label several', of(made.complaints, 'label'), 'current'],
    ['label numbers', of(made.hours, 'label'), 'number'],
    ['mark words', of(made.complaints, 'label'), 'current', async (page) => (await page.keyboard.press('m'), page.getByTestId('marking').waitFor())],
    ['worklist', of(made.photos, 'worklist'), 'left'],
    ['worklist of several', of(made.complaints, 'worklist'), 'left'],
    ['book', of(made.photos, 'book'), 'note'],
    ['agreement', of(made.photos, 'agreement'), 'asking'],
    ['models', of(made.photos, 'models'), 'model', tick],
    ['model', of(made.photos, `models/${made.model}`), 'headline'],
    ['inspector', of(made.tiles, `models/${made.inspector}`), 'inspector'],
    ['try', of(made.photos, 'try'), 'try-file', tried(heldOut.photo)],
    ['try an inspector', of(made.tiles, 'try'), 'try-file', tried(heldOut.defect)],
    ['deploy', of(made.photos, 'deploy'), 'deployment'],
    ['history', of(made.photos, 'history'), 'states', async (page) => (await page.getByTestId('from-beginning').check(), page.getByTestId('diff').waitFor())],
    ['deployments', '/deployments', 'deployment'],
    ['monitor', '/deployments/photos', 'requests'],
    ['settings', '/settings', 'language', async (page) => (await page.getByRole('button', { name: /^(Show it|查看)/ }).click(), page.getByTestId('trail').waitFor())],
    ['no such page', '/nowhere', ''],
  ];
}

const LOOKS = /** @type {const} */ ([{ locale: 'en-GB', colorScheme: 'light' }, { locale: 'zh-CN', colorScheme: 'dark' }]);
const PHONE = { viewport: { width: 390, height: 844 }, isMobile: true, hasTouch: true };
/** What is done with a phone in the hand. */
const ON_PHONE = /^(label|mark|try)\b/;

for (const look of LOOKS) {
  test(`nothing is wrong in ${look.locale}, ${look.colorScheme}`, LIMIT, async (t) => {
    const page = await opened({ ...look, viewport: { width: 1280, height: 820 } });
    const found = await lookedThrough(page, everyPage());
    await page.context().clearCookies();
    await page.goto('about:blank');
    await page.goto(`${BASE_URL}/#/`);
    await page.getByTestId('language').waitFor();
    found.push(...(await wrongOn(page)).map((wrong) => `come in: ${wrong}`));
    t.diagnostic(`${everyPage().length + 1} pages`);
    assert.deepEqual(found, []);
    // What is wrong would be found, also where it is moderate.
    await page.evaluate(() => (document.querySelector('main, body')?.append(new Image(20, 20)), document.body.prepend('beside the landmarks')));
    const wrong = (await wrongOn(page)).join();
    assert.match(wrong, /image-alt \(critical\)/);
    assert.match(wrong, /region \(moderate\)/);
    await page.context().close();
  });

  test(`nothing is wrong on a phone in ${look.locale}, ${look.colorScheme}`, LIMIT, async (t) => {
    const page = await opened({ ...look, ...PHONE });
    const pages = everyPage().filter(([name]) => ON_PHONE.test(name));
    assert.deepEqual(await lookedThrough(page, pages), []);
    t.diagnostic(pages.map(([name]) => name).join(', '));
    await page.context().close();
  });
}

/** @param {import('playwright-core').BrowserContextOptions} how */
async function opened(how) {
  const context = await browser.newContext({ reducedMotion: 'reduce', storageState: entered, ...how });
  await context.addInitScript({ path: createRequire(import.meta.url).resolve('axe-core/axe.min.js') });
  const page = await context.newPage();
  page.setDefaultTimeout(20_000);
  return page;
}

/** What is wrong on these pages, each line with the name of its page. @param {Page} page @param {ReturnType<typeof everyPage>} pages */
async function lookedThrough(page, pages) {
  /** @type {string[]} */
  const found = [];
  for (const [name, at, ready, act] of pages) {
    await page.goto('about:blank');
    await page.goto(`${BASE_URL}/#${at}`);
    await (ready ? page.getByTestId(ready) : page.getByRole('link')).first().waitFor({ state: 'attached' });
    await act?.(page);
    found.push(...(await wrongOn(page)).map((wrong) => `${name}: ${wrong}`));
  }
  return found;
}

/** What axe finds moderate, serious or critical, a line for each element. @param {Page} page @returns {Promise<string[]>} */
async function wrongOn(page) {
  await page.waitForFunction(() => [...document.images].every((image) => image.complete));
  await page.evaluate(() => Promise.all(document.getAnimations().map((one) => one.finished.catch(() => {}))));
  return page.evaluate(async () => {
    const { violations } = await Reflect.get(globalThis, 'axe').run(document, { resultTypes: ['violations'] });
    return violations
      .filter((/** @type {any} */ one) => ['moderate', 'serious', 'critical'].includes(one.impact))
      .flatMap((/** @type {any} */ one) => one.nodes.map((/** @type {any} */ node) => `${one.id} (${one.impact}) at ${node.target.join(' ')}: ${node.failureSummary.split('\n').slice(1).join('; ').trim()}`));
  });
}
