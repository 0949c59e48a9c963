// What goes wrong on the way: an upload that is cut off, a network that is away, a server that says no. The variables
// are those of story.mjs.

import assert from 'node:assert/strict';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { after, before, test } from 'node:test';
import { chromium } from 'playwright-core';
import { copyPhotos, truthOf } from './photos.mjs';

const { BASE_URL, ENTER_KEY, DATA, CHROMIUM = '/usr/bin/chromium' } = process.env;
const PER_CLASS = 20;
const CUT_AFTER = 15;
const LIMIT = { timeout: 20_000 };

/** @type {import('playwright-core').Browser} */
let browser;
/** @type {import('playwright-core').Page} */
let page;
/** @type {string} */
let folder;
/** @type {string[]} */
let classes;
/** @type {string} */
let dataset;
/** @type {string[]} */
const complaints = [];

before(async () => {
  assert(BASE_URL && ENTER_KEY && DATA, 'set BASE_URL, ENTER_KEY and DATA');
  folder = path.join(await mkdtemp(path.join(tmpdir(), 'faults-')), 'cut');
  ({ classes } = await copyPhotos(DATA, folder, { classes: 2, perClass: PER_CLASS }));
  browser = await chromium.launch({ executablePath: CHROMIUM, args: ['--no-sandbox'] });
  page = await (await browser.newContext({ locale: 'en-GB' })).newPage();
  page.setDefaultTimeout(LIMIT.timeout);
  page.on('pageerror', (error) => complaints.push(error.message));
  // Leaving while something is under way is asked about; here it is meant.
  page.on('dialog', (dialog) => void dialog.accept());
  await page.goto(`${BASE_URL}/#/enter/${ENTER_KEY}`);
  await page.getByTestId('drop-zone').waitFor();
});

after(async () => {
  await browser?.close();
  if (folder) await rm(path.dirname(folder), { recursive: true, force: true });
  assert.deepEqual(complaints, [], 'the page broke');
});

test('an upload that was cut off goes on where it stopped', LIMIT, async () => {
  let sent = 0;
  const pieces = /\/v1\/uploads\/.*\/file/;
  await page.route(pieces, async (route) => {
    sent += 1;
    await (sent <= CUT_AFTER ? route.continue() : route.abort('connectionreset'));
  });
  await page.getByTestId('choose-folder').setInputFiles(folder);
  await page.getByText(`${CUT_AFTER} of ${2 * PER_CLASS} files`).waitFor();
  await page.getByText('The connection is shaky').waitFor();
  await page.reload();
  await page.unroute(pieces);
  await page.getByText('goes on where it stopped').waitFor();

  let again = 0;
  page.on('request', (request) => {
    if (pieces.test(request.url())) again += 1;
  });
  await page.getByTestId('choose-folder').setInputFiles(folder);
  await page.getByTestId('grid').waitFor();
  assert.equal(again, 2 * PER_CLASS - CUT_AFTER, 'only what was missing is sent');
  dataset = page.url().match(/\/d\/([^/]+)/)?.[1] ?? '';
  const { datasets } = await get('/v1/datasets');
  assert.equal(datasets.length, 1, 'no second dataset was made');
  assert.equal(datasets[0].n_examples, 2 * PER_CLASS);
});

test('labels given without a network arrive when it is back', LIMIT, async () => {
  for (const name of classes) {
    const made = await page.request.post(`${BASE_URL}/v1/datasets/${dataset}/classes`, { data: { name }, headers: { 'X-Dianjing': '1' } });
    assert.equal(made.status(), 200);
  }
  await page.goto(`${BASE_URL}/#/d/${dataset}/label`);
  await page.reload();
  await current().waitFor();
  await page.context().setOffline(true);
  const given = [await label(), await label(), await label()];
  await page.getByText('3 on the way').waitFor();
  assert.equal((await get(`/v1/datasets/${dataset}`)).n_labelled, 0);
  await page.context().setOffline(false);
  await page.getByText('3 on the way').waitFor({ state: 'detached' });
  await page.waitForFunction(async (at) => (await (await fetch(at)).json()).n_labelled === 3, `/v1/datasets/${dataset}`);
  for (const { id, name } of given) assert.equal((await get(`/v1/examples/${id}`)).label, name);
});

test('a label that the server refuses comes back', LIMIT, async () => {
  const refused = /\/labels$/;
  await page.route(refused, (route) => route.fulfill({ status: 422, json: { code: 'invalid', message: 'not today', hint: null, request_id: 'r' } }));
  const counted = page.getByTestId('label-count').locator('span').first();
  const count = await counted.textContent();
  const id = await current().getAttribute('data-example');
  await page.keyboard.press('1');
  await page.getByText('Not today').waitFor();
  assert.equal(await current().getAttribute('data-example'), id, 'the example is shown again');
  assert.equal(await counted.textContent(), count, 'the count is as before');
  await page.unroute(refused);
  await label();
  await page.waitForFunction(async (at) => (await (await fetch(at)).json()).n_labelled === 4, `/v1/datasets/${dataset}`);
});

function current() {
  return page.getByTestId('current');
}

/** Presses the key of the class the shown photo is of, and waits for the next one. */
async function label() {
  const id = (await current().getAttribute('data-example')) ?? '';
  const name = truthOf((await current().locator('img').getAttribute('alt')) ?? '');
  await page.keyboard.press(String(classes.indexOf(name) + 1));
  await page.waitForFunction((old) => document.querySelector('[data-testid=current]')?.getAttribute('data-example') !== old, id);
  return { id, name };
}

/** @param {string} at */
async function get(at) {
  return (await page.request.get(`${BASE_URL}${at}`)).json();
}
