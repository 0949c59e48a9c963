// How long a frame takes: the map with 200,000 points while it is moved, and a brush on a photo of 12 megapixels.
//
// node e2e/frames.mjs [POINTS]

import { chromium } from 'playwright-core';
import { createServer } from 'vite';
import { dragged, told } from './gauge.mjs';
import { mock } from './mock.mjs';

const nPoints = Number(process.argv[2] ?? 200_000);
const { CHROMIUM = '/usr/bin/chromium' } = process.env;
const FRAMES = 120;
const server = await mock({ width: 4000, height: 3000, nPoints });
const pages = await createServer({ root: new URL('..', import.meta.url).pathname, logLevel: 'error', server: { port: 0, hmr: false, watch: null, proxy: { '/v1': server.url } } });
await pages.listen();
const base = pages.resolvedUrls?.local[0] ?? '';
const browser = await chromium.launch({ executablePath: CHROMIUM, args: ['--no-sandbox'] });
const page = await (await browser.newContext({ viewport: { width: 1280, height: 820 } })).newPage();

/** @param {string} at */
async function measure(at) {
  const { times, works, lifted } = await dragged(page, { at, frames: FRAMES });
  return { frame: told(times), work: told(works), lifted: lifted.toFixed(1) };
}

await page.goto(`${base}#/d/things/map`);
await page.getByTestId('map').waitFor({ timeout: 60_000 });
await page.waitForTimeout(1500);
console.log(`${nPoints} points, panned:`, await measure('[data-testid=map]'));
await page.keyboard.press('l');
console.log(`${nPoints} points, lasso:`, await measure('[data-testid=map]'));
await page.goto(`${base}#/d/things/label`);
await page.getByTestId('current').waitFor();
await page.keyboard.press('m');
await page.getByTestId('example-image').evaluate((/** @type {HTMLImageElement} */ image) => image.decode());
await page.keyboard.press('r');
await page.waitForTimeout(1000);
console.log('12 megapixels, brush:', await measure('[data-testid=marking]'));
await page.waitForTimeout(500);
console.log('12 megapixels, the next stroke on it:', await measure('[data-testid=marking]'));
await page.keyboard.press('v');
await page.keyboard.press('Escape');
console.log('12 megapixels, panned:', await measure('[data-testid=marking]'));
await browser.close();
await pages.close();
server.close();
