// A phone is let into the studio of one computer, tries a photo there, and is put out again: two browsers against a real server.
//
// PROGRAM    the path of `dianjing`
// OUT        where the screenshots go (default: e2e/out)
// CHROMIUM   the browser (default: /usr/bin/chromium)

import assert from 'node:assert/strict';
import { mkdir } from 'node:fs/promises';
import path from 'node:path';
import { after, before, test } from 'node:test';
import { chromium } from 'playwright-core';
import { png } from './made.mjs';
import { programOf } from './program.mjs';
import { serving } from './serving.mjs';

const { PROGRAM = '', OUT = new URL('./out', import.meta.url).pathname, CHROMIUM = '/usr/bin/chromium' } = process.env;
const PHONE = { viewport: { width: 390, height: 780 }, hasTouch: true, isMobile: true, deviceScaleFactor: 2, locale: 'zh-CN' };
const N_OF_EACH = 8;

/** @type {import('playwright-core').Browser} */
let browser;
/** @type {string[]} */
const broke = [];

before(async () => {
  assert(PROGRAM, 'set PROGRAM');
  await mkdir(OUT, { recursive: true });
  browser = await chromium.launch({ executablePath: CHROMIUM, args: ['--no-sandbox'] });
});
after(async () => {
  await browser?.close();
  assert.deepEqual(broke, [], 'a page broke');
});

/** @param {import('playwright-core').BrowserContextOptions} how */
async function opened(how) {
  const page = await (await browser.newContext(how)).newPage();
  page.setDefaultTimeout(20_000);
  page.on('pageerror', (error) => broke.push(error.message));
  return page;
}

/** @param {import('playwright-core').Page} page @param {string} name */
const shot = (page, name) => page.screenshot({ path: path.join(OUT, `phone-${name}.png`) });

test('a phone that scans the code tries a photo on the same model, and is put out again', { timeout: 180_000 }, () =>
  serving(
    PROGRAM,
    async (base, key) => {
      const desk = await opened({ locale: 'en-GB', viewport: { width: 1280, height: 820 } });
      await desk.goto(`${base}/#/enter/${key}`);
      await desk.getByTestId('drop-zone').waitFor();
      const program = programOf(desk.request, base);
      const photos = [false, true].flatMap((hot) => Array.from({ length: N_OF_EACH }, (_, i) => ({ path: `${hot ? 'hot' : 'cold'}/${i}.png`, bytes: png(96, 72, hot, i) })));
      const dataset = await program.bring('plates', photos);
      const model = await program.tune(dataset);

      await desk.goto(`${base}/#/d/${dataset}/try?model=${model}`);
      await desk.getByTestId('phone').click();
      const dialog = desk.getByRole('dialog');
      const alone = dialog.getByText('This computer is in no network');
      await dialog.getByRole('img', { name: 'Code to scan' }).or(alone).waitFor();
      if (await alone.isVisible()) return;
      await shot(desk, '1-code');
      const address = await dialog.getByTestId('secret').innerText();
      assert(!address.startsWith(base), 'not the address of this machine alone');

      const phone = await opened(PHONE);
      await phone.goto(address);
      await phone.getByRole('button', { name: '拍一张照片' }).waitFor();
      assert.equal(new URL(phone.url()).hash, `#/d/${dataset}/try?model=${model}`, 'the page that was open, without the key');
      assert.equal(await phone.getByTestId('phone').count(), 0, 'who holds a phone is offered none');
      await phone.getByLabel('拍一张照片').setInputFiles({ name: 'shot.png', mimeType: 'image/png', buffer: png(96, 72, true, 99) });
      await phone.getByText('hot', { exact: true }).first().waitFor();
      await shot(phone, '2-answer');
      const other = await opened(PHONE);
      await other.goto(address);
      await other.getByText('dianjing studio', { exact: true }).waitFor();

      await dialog.getByText('Close').click();
      await desk.goto(`${base}/#/settings`);
      await desk.getByRole('button', { name: 'Log out everywhere else' }).click();
      await shot(desk, '3-settings');
      await desk.getByRole('dialog').getByRole('button', { name: 'Log out everywhere else' }).click();
      await desk.getByText('All your other browsers are logged out.').waitFor();
      await phone.reload();
      await phone.getByText('dianjing studio', { exact: true }).waitFor();
      await desk.reload();
      await desk.getByRole('heading', { name: 'Settings' }).waitFor();
    },
    ['--phone'],
  ));

test('a studio of one computer says how phones could come in', { timeout: 60_000 }, () =>
  serving(PROGRAM, async (base, key) => {
    const desk = await opened({ locale: 'en-GB', viewport: { width: 1280, height: 820 } });
    await desk.goto(`${base}/#/enter/${key}`);
    await desk.getByTestId('drop-zone').waitFor();
    await desk.goto(`${base}/#/settings`);
    await desk.getByTestId('phone').click();
    await desk.getByRole('dialog').getByText('dianjing studio --phone').waitFor();
    await shot(desk, '4-alone');
  }));
