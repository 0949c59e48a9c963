// The whole story in a real browser, in both languages: come in, drop a folder, look, label, see the accuracy, work
// through the worklist, tune, try, deploy, ask the deployed model.
//
// BASE_URL   where the server is, such as http://127.0.0.1:7878
// ENTER_KEY  the one-time key of `dianjing studio`, or what sets a team's server up
// DATA       a folder with one folder of photos per class; the photos are uploaded without their labels
// OUT        where the screenshots go (default: e2e/out)
// CHROMIUM   the browser (default: /usr/bin/chromium)

import assert from 'node:assert/strict';
import { mkdir, mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { after, before, test } from 'node:test';
import { chromium } from 'playwright-core';
import { labelled, told } from './gauge.mjs';
import { copyPhotos, truthOf } from './photos.mjs';

const { BASE_URL, ENTER_KEY, DATA, OUT = new URL('./out', import.meta.url).pathname, CHROMIUM = '/usr/bin/chromium' } = process.env;
const CLASSES = 3;
const PER_CLASS = 30;
const LABELS = 36;
const JOB_MS = 180_000;

/** @type {import('playwright-core').Browser} */
let browser;
/** @type {string} */
let folder;
/** A photo that is not uploaded, to try the model with. @type {string} */
let heldOut;
/** @type {Awaited<ReturnType<import('playwright-core').BrowserContext['storageState']>> | undefined} */
let entered;

before(async () => {
  assert(BASE_URL && ENTER_KEY && DATA, 'set BASE_URL, ENTER_KEY and DATA');
  await mkdir(OUT, { recursive: true });
  folder = path.join(await mkdtemp(path.join(tmpdir(), 'story-')), 'parts');
  ({ heldOut } = await copyPhotos(DATA, folder, { classes: CLASSES, perClass: PER_CLASS }));
  browser = await chromium.launch({ executablePath: CHROMIUM, args: ['--no-sandbox'] });
});

after(async () => {
  await browser?.close();
  if (folder) await rm(path.dirname(folder), { recursive: true, force: true });
});

for (const language of ['en', 'zh']) {
  test(`the story in ${language}`, { timeout: 600_000 }, async (t) => {
    const context = await browser.newContext({
      locale: language === 'zh' ? 'zh-CN' : 'en-US',
      viewport: { width: 1280, height: 800 },
      colorScheme: language === 'zh' ? 'dark' : 'light',
      storageState: entered,
    });
    const page = await context.newPage();
    page.setDefaultTimeout(20_000);
    /** @type {string[]} */
    const complaints = [];
    page.on('pageerror', (error) => complaints.push(error.message));
    page.on('console', (message) => {
      if (message.type() === 'error') complaints.push(message.text());
    });
    /** @param {string} name */
    const shot = (name) => page.screenshot({ path: path.join(OUT, `${language}-${name}.png`) });

    await t.test('enters with the key once', async () => {
      await page.goto(entered ? `${BASE_URL}/#/` : `${BASE_URL}/#/enter/${ENTER_KEY}`);
      const setUp = page.locator('form').filter({ has: page.locator('input[autocomplete=organization]') });
      await page.getByTestId('drop-zone').or(setUp).waitFor();
      if (await setUp.isVisible()) {
        await setUp.locator('input[autocomplete=organization]').fill('Works');
        await setUp.locator('input[autocomplete=username]').fill('ann');
        await setUp.locator('input[type=password]').fill('a long password');
        await shot('0-set-up');
        await setUp.getByRole('button').click();
        await page.getByTestId('drop-zone').waitFor();
      }
      assert(!page.url().includes(ENTER_KEY ?? ''), 'the key stays in the address');
      entered = await context.storageState();
      await shot('1-home');
    });

    await t.test('brings a folder in', async () => {
      await page.getByTestId('choose-folder').setInputFiles(folder);
      await page.getByTestId('grid').waitFor({ timeout: JOB_MS });
      await page.getByTestId('grid').getByRole('option').first().waitFor();
      await page.waitForLoadState('networkidle');
      await shot('2-gallery');
    });

    await t.test('labels with the keyboard, quickly', async () => {
      await page.getByTestId('tab-label').click();
      const current = page.getByTestId('current');
      await current.waitFor();
      /** @type {string[]} */
      const known = [];
      /** @type {number[]} */
      const times = [];
      for (let n = 0; n < LABELS; n += 1) {
        const name = (await current.locator('img').getAttribute('alt')) ?? '';
        const label = truthOf(name);
        const key = known.indexOf(label) + 1;
        if (key > 0) times.push(await labelled(page, String(key)));
        else {
          const id = await current.getAttribute('data-example');
          await page.keyboard.press('n');
          await page.getByTestId('class-name').fill(label);
          await page.keyboard.press('Enter');
          known.push(label);
          await page.waitForFunction((old) => document.querySelector('[data-testid=current]')?.getAttribute('data-example') !== old, id);
        }
      }
      const { middle, most } = told(times);
      t.diagnostic(`${times.length} labels by key, ${middle} ms in the middle, ${most} ms at most`);
    });

    await t.test('takes a label back', async () => {
      const shown = await page.getByTestId('current').getAttribute('data-example');
      await page.keyboard.press('Backspace');
      await page.waitForFunction((old) => document.querySelector('[data-testid=current]')?.getAttribute('data-example') !== old, shown);
    });

    await t.test('shows the accuracy with its interval', async () => {
      const value = page.getByTestId('accuracy-value');
      await value.waitFor({ timeout: JOB_MS });
      assert.match((await value.textContent()) ?? '', /\d+(\.\d)?\s?%/);
      await shot('3-label');
    });

    await t.test('works through the worklist', async () => {
      await page.getByTestId('tab-worklist').click();
      await page.getByRole('button', { name: /^(Look for mistakes|开始检查)/ }).click();
      await page.getByRole('button', { name: /^(Look again|重新检查)/ }).first().waitFor({ timeout: JOB_MS });
      const finding = page.getByTestId('finding');
      if (await finding.isVisible()) {
        await shot('4-worklist');
        const left = await page.getByTestId('left').textContent();
        await page.keyboard.press('k');
        await page.waitForFunction((old) => document.querySelector('[data-testid=left]')?.textContent !== old, left);
      } else await shot('4-worklist');
    });

    await t.test('tunes a model', async () => {
      await page.getByTestId('tab-models').click();
      await page.getByTestId('tune').click();
      await page.getByTestId('headline').waitFor({ timeout: JOB_MS });
      await page.getByTestId('promise').waitFor();
      await shot('5-model');
    });

    await t.test('tries a photo it has not seen', async () => {
      await page.getByTestId('tab-try').click();
      await page.getByTestId('try-file').setInputFiles(heldOut);
      await page.getByTestId('answer').waitFor({ timeout: JOB_MS });
      await shot('6-try');
    });

    await t.test('deploys it, and a program can ask', async () => {
      const name = `story-${language}`;
      await page.getByTestId('tab-deploy').click();
      await page.getByTestId('deploy-name').fill(name);
      await page.getByTestId('deploy').click();
      await page.getByTestId('deployment').filter({ hasText: name }).waitFor();
      await page.getByRole('button', { name: /^(Make a token|生成令牌)/ }).click();
      const secret = (await page.getByTestId('secret').textContent())?.trim() ?? '';
      await shot('7-deploy');

      const form = new FormData();
      form.append('file', new Blob([await readFile(heldOut)]), path.basename(heldOut));
      const answer = await fetch(`${BASE_URL}/v1/predict/${name}`, { method: 'POST', headers: { Authorization: `Bearer ${secret}` }, body: form });
      assert.equal(answer.status, 200);
      const { predictions } = await answer.json();
      assert.equal(predictions.length, 1);
      const sum = predictions[0].probs.reduce((/** @type {number} */ total, /** @type {{ probability: number }} */ one) => total + one.probability, 0);
      assert(Math.abs(sum - 1) < 0.01, `probabilities sum to ${sum}`);
    });

    assert.deepEqual(complaints, [], 'the browser complained');
    await context.close();
  });
}

test('on a phone: some are labelled, and a photo is tried', { timeout: 240_000 }, async () => {
  const context = await browser.newContext({ locale: 'en-GB', viewport: { width: 390, height: 844 }, hasTouch: true, isMobile: true, deviceScaleFactor: 2, storageState: entered });
  const page = await context.newPage();
  page.setDefaultTimeout(20_000);
  /** @type {string[]} */
  const complaints = [];
  page.on('pageerror', (error) => complaints.push(error.message));
  /** @param {string} name */
  const seen = async (name) => {
    await page.waitForFunction(() => [...document.images].every((image) => image.complete));
    await page.screenshot({ path: path.join(OUT, `phone-${name}.png`) });
    const wide = await page.evaluate(() => document.documentElement.scrollWidth - innerWidth);
    assert(wide <= 0, `${name} is ${wide} px too wide`);
  };
  await page.goto(`${BASE_URL}/#/`);
  await page.getByTestId('dataset-card').first().waitFor();
  await seen('1-home');
  await page.getByTestId('dataset-card').first().tap();
  await page.getByTestId('grid').getByRole('option').first().waitFor();
  await seen('2-gallery');
  await page.getByTestId('tab-label').tap();
  const current = page.getByTestId('current');
  await current.waitFor();
  await seen('3-label');
  const labelled = async () => Number((await (await page.request.get(`${BASE_URL}/v1/datasets/${/d\/([^/]+)/.exec(page.url())?.[1]}`)).json()).n_labelled);
  const before = await labelled();
  for (let n = 0; n < 5; n += 1) {
    const id = await current.getAttribute('data-example');
    const label = truthOf((await current.locator('img').getAttribute('alt')) ?? '');
    await page.getByTestId('class-button').filter({ hasText: label }).tap();
    await page.waitForFunction((old) => document.querySelector('[data-testid=current]')?.getAttribute('data-example') !== old, id);
  }
  await page.waitForTimeout(500);
  assert.equal(await labelled(), before + 5);
  await seen('4-labelled');
  await page.getByTestId('tab-try').tap();
  await page.getByTestId('try-file').setInputFiles(heldOut);
  await page.getByTestId('answer').waitFor({ timeout: JOB_MS });
  await seen('5-tried');
  await page.getByTestId('answer').scrollIntoViewIfNeeded();
  await page.screenshot({ path: path.join(OUT, 'phone-6-answer.png') });
  assert.deepEqual(complaints, [], 'the page broke');
  await context.close();
});
