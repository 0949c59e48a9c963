// How fast a studio is for a person, in a real browser: from the command to the first page, from a label's key to the next example, from a
// label to a quick model that has learned of it. More than is bearable fails. For a release build on an idle machine.
//
// node e2e/speed.mjs PATH/TO/dianjing FOLDER_OF_PHOTOS     with a folder for each class somewhere below
//
// CHROMIUM   the browser (default: /usr/bin/chromium)

import assert from 'node:assert/strict';
import { readFile, readdir } from 'node:fs/promises';
import path from 'node:path';
import { chromium } from 'playwright-core';
import { labelled, told } from './gauge.mjs';
import { programOf } from './program.mjs';
import { serving } from './serving.mjs';

const [program, data] = process.argv.slice(2);
if (!program || !data) throw new Error('usage: node e2e/speed.mjs PATH/TO/dianjing FOLDER_OF_PHOTOS');
const { CHROMIUM = '/usr/bin/chromium' } = process.env;
const MOST = { firstPage: 1000, nextExample: 50, learned: 300 };
const STARTS = 7;
const EXAMPLES = 1000;
/** Labels that are there before it is measured: many, since the quick model learns from all of them anew. */
const KNOWN = 500;
const KEYS = 40;
const LABELS = 30;

const browser = await chromium.launch({ executablePath: CHROMIUM, args: ['--no-sandbox'] });
const entered = async (/** @type {string} */ base, /** @type {string} */ key) => {
  const page = await (await browser.newContext({ locale: 'en-GB', viewport: { width: 1280, height: 820 } })).newPage();
  page.setDefaultTimeout(30_000);
  await page.goto(`${base}/#/enter/${key}`);
  await page.getByTestId('drop-zone').waitFor();
  return page;
};

const starts = [];
for (let i = 0; i < STARTS; i += 1) {
  const began = performance.now();
  starts.push(await serving(program, async (base, key) => {
    const page = await entered(base, key);
    const took = performance.now() - began;
    await page.context().close();
    return took;
  }));
}
say('from `dianjing studio` on an empty folder to the first page', starts, MOST.firstPage);

await serving(program, async (base, key) => {
  const page = await entered(base, key);
  const server = programOf(page.request, base);
  const photos = await photosBelow(data, EXAMPLES);
  const dataset = await server.bring('photos', await Promise.all(photos.map(async (file) => ({ path: named(file), bytes: await readFile(file) }))));
  await server.looked(dataset);
  const at = `/v1/datasets/${dataset}`;

  // They came with labels, so that the quick model may measure itself on them; half of them are given anew below.
  const all = [];
  for (let offset = 0; offset < EXAMPLES; offset += 500) all.push(...(await server.get(`${at}/examples?limit=500&offset=${offset}`)).examples);
  // A fixed way through them, so that each run measures the same.
  const shuffled = all.map((one, i) => ({ one, place: (i * 389) % EXAMPLES })).sort((a, b) => a.place - b.place).map(({ one }) => ({ example: one.id, label: one.label }));
  await server.post(`${at}/labels/batch`, { labels: shuffled.slice(KNOWN).map(({ example }) => ({ example, label: null })) });
  await learned(KNOWN);

  const times = [];
  for (let n = KNOWN; n < KNOWN + LABELS; n += 1) {
    const began = performance.now();
    await server.post(`${at}/labels`, { ...shuffled[n], from: 'elsewhere' });
    await learned(n + 1);
    times.push(performance.now() - began);
  }
  say(`from a label to a quick model that learned of it, ${EXAMPLES} photos, ${KNOWN} labels and more`, times, MOST.learned);

  await page.goto(`${base}/#/d/${dataset}/label`);
  await page.getByTestId('current').waitFor();
  await page.waitForTimeout(1000);
  const keys = [];
  for (let i = 0; i < KEYS; i += 1) {
    keys.push(await labelled(page, '1'));
    // As fast as a quick person.
    await page.waitForTimeout(250);
  }
  say("from a label's key to the next example", keys, MOST.nextExample);

  /** Waits until the quick model has measured itself with so many labels. @param {number} n */
  async function learned(n) {
    for (const began = performance.now(); ; ) {
      const { history } = await server.get(`${at}/live`);
      if (history.at(-1)?.n_labelled === n) return;
      assert(performance.now() - began < 60_000, `no measure with ${n} labels: ${JSON.stringify(history.at(-1))}`);
      await new Promise((resolve) => setTimeout(resolve, 5));
    }
  }
});
await browser.close();

/** @param {string} what @param {number[]} times @param {number} most */
function say(what, times, most) {
  const found = told(times);
  console.log(`${what}: ${found.middle} ms in the middle, ${found.p95} ms for 95 of 100, ${found.most} ms at most (${times.length} times); bearable are ${most} ms`);
  assert(found.middle <= most, `${what}: ${found.middle} ms are more than ${most} ms`);
}

/** @param {string} folder @param {number} n */
async function photosBelow(folder, n) {
  const files = (await readdir(folder, { recursive: true })).filter((file) => /\.(jpe?g|png)$/i.test(file)).sort();
  assert(files.length >= n, `${folder} needs ${n} photos`);
  return files.slice(0, n).map((file) => path.join(folder, file));
}

/** By its class, and by the part of the data it is from. @param {string} file */
function named(file) {
  const folders = path.dirname(file).split(path.sep);
  return `${folders.at(-1)}/${folders.at(-2)}-${path.basename(file)}`;
}
