// How long a frame takes: the map with 200,000 points while it is moved, and a brush on a photo of 12 megapixels.
//
// node e2e/frames.mjs [POINTS]

import { chromium } from 'playwright-core';
import { createServer } from 'vite';
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

/** Moves the pointer once a frame, and tells how long each frame and the page's own work in it took. */
const measure = (/** @type {{ at: string, frames: number }} */ wish) =>
  page.evaluate(async ({ at, frames }) => {
    const target = document.querySelector(at);
    if (!target) throw new Error(`no ${at}`);
    const box = target.getBoundingClientRect();
    const tell = (/** @type {string} */ type, /** @type {number} */ x, /** @type {number} */ y) =>
      target.dispatchEvent(new PointerEvent(type, { clientX: x, clientY: y, pointerId: 1, button: 0, buttons: 1, bubbles: true, pointerType: 'mouse' }));
    Element.prototype.setPointerCapture = () => {};
    const places = Array.from({ length: frames }, (_, i) => [box.left + box.width * (0.5 + 0.3 * Math.sin(i / 9)), box.top + box.height * (0.5 + 0.3 * Math.cos(i / 7))]);
    tell('pointerdown', places[0]?.[0] ?? 0, places[0]?.[1] ?? 0);
    const times = [];
    const works = [];
    let before = performance.now();
    for (const [x, y] of places) {
      tell('pointermove', x ?? 0, y ?? 0);
      await new Promise((resolve) => requestAnimationFrame(resolve));
      const began = performance.now();
      times.push(began - before);
      before = began;
      // What was asked for in this frame runs after this; the task behind it begins when it is done.
      await new Promise((resolve) => {
        const { port1, port2 } = new MessageChannel();
        port1.onmessage = resolve;
        port2.postMessage(0);
      });
      works.push(performance.now() - began);
    }
    const last = performance.now();
    tell('pointerup', places.at(-1)?.[0] ?? 0, places.at(-1)?.[1] ?? 0);
    await new Promise((resolve) => setTimeout(resolve));
    const lifted = performance.now() - last;
    const middle = (/** @type {number[]} */ all) => all.toSorted((a, b) => a - b)[Math.floor(all.length / 2)] ?? 0;
    const most = (/** @type {number[]} */ all) => all.toSorted((a, b) => a - b)[Math.floor(all.length * 0.95)] ?? 0;
    return { frame: middle(times).toFixed(1), frame95: most(times).toFixed(1), work: middle(works).toFixed(1), work95: most(works).toFixed(1), lifted: lifted.toFixed(1) };
  }, wish);

await page.goto(`${base}#/d/things/map`);
await page.getByTestId('map').waitFor({ timeout: 60_000 });
await page.waitForTimeout(1500);
console.log(`${nPoints} points, panned:`, await measure({ at: '[data-testid=map]', frames: FRAMES }));
await page.keyboard.press('l');
console.log(`${nPoints} points, lasso:`, await measure({ at: '[data-testid=map]', frames: FRAMES }));
await page.goto(`${base}#/d/things/label`);
await page.getByTestId('current').waitFor();
await page.keyboard.press('m');
await page.getByTestId('example-image').evaluate((/** @type {HTMLImageElement} */ image) => image.decode());
await page.keyboard.press('r');
await page.waitForTimeout(1000);
console.log('12 megapixels, brush:', await measure({ at: '[data-testid=marking]', frames: FRAMES }));
await page.waitForTimeout(500);
console.log('12 megapixels, the next stroke on it:', await measure({ at: '[data-testid=marking]', frames: FRAMES }));
await page.keyboard.press('v');
await page.keyboard.press('Escape');
console.log('12 megapixels, panned:', await measure({ at: '[data-testid=marking]', frames: FRAMES }));
await browser.close();
await pages.close();
server.close();
