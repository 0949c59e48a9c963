// How the gallery scrolls and the map moves with very many examples, in a real browser against a real server.
//
// node e2e/many.mjs PATH/TO/dianjing [TEXTS] [PICTURES]
//
// The gallery is scrolled while the server looks at everything, which takes minutes, and again when it has looked. CHROMIUM is the browser (default: /usr/bin/chromium).

import { chromium } from 'playwright-core';
import { dragged, scrolled, told } from './gauge.mjs';
import { png } from './made.mjs';
import { programOf } from './program.mjs';
import { serving } from './serving.mjs';

const [program, nTexts = '100000', nPictures = '2000'] = process.argv.slice(2);
if (!program) throw new Error('usage: node e2e/many.mjs PATH/TO/dianjing [TEXTS] [PICTURES]');
const { CHROMIUM = '/usr/bin/chromium' } = process.env;
const FRAMES = 300;
/** More pictures than these are not waited for until all are looked at: to look at 100,000 takes a quarter of an hour. */
const WAITED_FOR = 10_000;
/** Pixels a frame: reading, skimming, and the bar dragged from end to end. */
const WAYS = /** @type {const} */ ([['read', 12], ['skimmed', 90], ['dragged', 0]]);

const browser = await chromium.launch({ executablePath: CHROMIUM, args: ['--no-sandbox'] });
await serving(program, async (base, key) => {
  const page = await (await browser.newContext({ viewport: { width: 1280, height: 820 } })).newPage();
  page.setDefaultTimeout(60_000);
  await page.goto(`${base}/#/enter/${key}`);
  await page.getByTestId('drop-zone').waitFor();
  const server = programOf(page.request, base);

  // To make very many takes longer than to bring them in.
  const [width, height] = Number(nPictures) > WAITED_FOR ? [128, 96] : [320, 240];
  const pictures = Array.from({ length: Number(nPictures) }, (_, i) => ({ path: `${i}.png`, bytes: png(width, height, i % 2 === 0, i) }));
  await scrolledTwice(page, server, base, { name: 'pictures', n: nPictures, files: pictures });
  const texts = await scrolledTwice(page, server, base, { name: 'texts', n: nTexts, files: [{ path: 'texts.csv', bytes: table(Number(nTexts)) }] });
  await map(page, server, base, texts);
});
await browser.close();

/**
 * @param {import('playwright-core').Page} page
 * @param {ReturnType<typeof programOf>} server
 * @param {string} base
 * @param {{ name: string, n: string, files: { path: string, bytes: Buffer }[] }} set
 */
async function scrolledTwice(page, server, base, { name, n, files }) {
  const began = performance.now();
  const id = await server.bring(name, files);
  console.log(`${n} ${name}: brought in in ${seconds(began)} s`);
  const there = performance.now();
  await gallery(page, `${base}/#/d/${id}/gallery`, `${n} ${name}, being looked at`);
  if (name === 'pictures' && Number(n) > WAITED_FOR) {
    await server.ask('DELETE', `/v1/datasets/${id}`);
    return id;
  }
  await server.looked(id);
  console.log(`${n} ${name}: looked at ${seconds(there)} s after that`);
  await gallery(page, `${base}/#/d/${id}/gallery`, `${n} ${name}`);
  return id;
}

/** @param {import('playwright-core').Page} page @param {string} at @param {string} what */
async function gallery(page, at, what) {
  for (const [way, by] of WAYS) {
    await page.goto('about:blank');
    await page.goto(at);
    await page.getByTestId('grid').getByRole('option').first().waitFor();
    await page.waitForTimeout(1000);
    const height = await page.getByTestId('grid').evaluate((view) => view.scrollHeight);
    console.log(`gallery of ${what}, ${way}:`, told(await scrolled(page, { at: '[data-testid=grid]', frames: FRAMES, by: by || height / FRAMES })));
  }
}

/** @param {import('playwright-core').Page} page @param {ReturnType<typeof programOf>} server @param {string} base @param {string} id */
async function map(page, server, base, id) {
  const began = performance.now();
  await server.until(async () => (await server.get(`/v1/datasets/${id}/map`)).state === 'ready', 'drawing the map');
  const drawn = performance.now();
  await page.goto('about:blank');
  const asked = performance.now();
  await page.goto(`${base}/#/d/${id}/map`);
  await page.getByTestId('map').waitFor();
  await page.evaluate(() => new Promise((resolve) => requestAnimationFrame(() => requestAnimationFrame(resolve))));
  console.log(`map of ${nTexts}: laid out in ${seconds(began, drawn)} s, seen ${seconds(asked)} s after it was asked for`);
  await page.waitForTimeout(1000);
  const { times, works } = await dragged(page, { at: '[data-testid=map]', frames: FRAMES });
  console.log(`map of ${nTexts}, moved:`, told(times), 'of them the page:', told(works));
}

/** Short texts of four kinds, half of them labelled. @param {number} n */
function table(n) {
  const kinds = /** @type {const} */ ([['money', 'a refund for order'], ['travel', 'the train of platform'], ['food', 'a table for room'], ['work', 'the report of week']]);
  const row = (/** @type {number} */ i) => {
    const [label, words] = kinds[i % kinds.length] ?? kinds[0];
    return `${words} ${i},${i % 8 < 4 ? label : ''}`;
  };
  return Buffer.from(`text,label\n${Array.from({ length: n }, (_, i) => row(i)).join('\n')}\n`);
}

function seconds(/** @type {number} */ began, ended = performance.now()) {
  return ((ended - began) / 1000).toFixed(1);
}
