// The pages in a browser, against a server that only remembers (mock.mjs).
//
// OUT        where the screenshots go (default: e2e/out)
// CHROMIUM   the browser (default: /usr/bin/chromium)

import assert from 'node:assert/strict';
import { mkdir } from 'node:fs/promises';
import path from 'node:path';
import { chromium } from 'playwright-core';
import { createServer } from 'vite';
import { mock } from './mock.mjs';

const { OUT = new URL('./out', import.meta.url).pathname, CHROMIUM = '/usr/bin/chromium' } = process.env;

/** Opens everything; `close` at the end says whether something broke on the way. */
export async function begin() {
  await mkdir(OUT, { recursive: true });
  const server = await mock();
  const pages = await createServer({ root: new URL('..', import.meta.url).pathname, logLevel: 'error', server: { port: 0, hmr: false, watch: null, proxy: { '/v1': server.url } } });
  await pages.listen();
  const base = pages.resolvedUrls?.local[0] ?? '';
  const browser = await chromium.launch({ executablePath: CHROMIUM, args: ['--no-sandbox', '--autoplay-policy=no-user-gesture-required'] });
  const page = await (await browser.newContext({ locale: 'en-GB', viewport: { width: 1280, height: 820 } })).newPage();
  page.setDefaultTimeout(10_000);
  /** @type {string[]} */
  const complaints = [];
  page.on('pageerror', (error) => complaints.push(error.message));
  page.on('console', (message) => {
    // A network that is away is part of a test.
    if (message.type() === 'error' && !/ERR_INTERNET_DISCONNECTED/.test(message.text())) complaints.push(message.text());
  });
  page.on('dialog', (dialog) => void dialog.accept());

  return {
    server, browser, page, base, complaints,
    /** @param {string} name */
    fileOf: (name) => path.join(OUT, `${name}.png`),
    /** @param {string} name */
    shot: (name) => page.screenshot({ path: path.join(OUT, `${name}.png`) }),
    /** @param {string} hash */
    open: async (hash) => {
      // The first page waits until everything is compiled.
      await page.goto(`${base}#${hash}`, { timeout: 60_000 });
      server.calls.length = 0;
    },
    /** @param {RegExp} at */
    sent: (at) => server.calls.filter((call) => at.test(call.path)),
    close: async () => {
      await browser.close();
      await pages.close();
      server.close();
      assert.deepEqual(complaints, [], 'the page broke');
    },
  };
}
