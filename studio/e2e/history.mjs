// The past: states and what changed between them, two models beside each other, what was promised and what came of it,
// what more labels would bring, and from an answer to the examples that taught it.

import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { begin } from './stage.mjs';

const LIMIT = { timeout: 60_000 };
/** @type {Awaited<ReturnType<typeof begin>>} */
let stage;
/** @type {import('playwright-core').Page} */
let page;

before(async () => {
  stage = await begin();
  page = stage.page;
  // The first page is put together while it is asked for.
  await page.goto(stage.base, { timeout: 50_000 });
});
after(() => stage.close());

const whole = (/** @type {string} */ name) => page.screenshot({ path: stage.fileOf(name), fullPage: true });

test('two states are picked and what changed is told', LIMIT, async () => {
  await stage.open('/d/things/history');
  await page.getByTestId('diff-relabelled').waitFor();
  assert.equal(await page.getByTestId('to-0').isChecked() && await page.getByTestId('from-1').isChecked(), true, 'the last two');
  await page.getByTestId('from-3').check();
  await page.waitForURL(/from=44&to=61/);
  assert.equal(await page.getByTestId('diff-relabelled').textContent(), '6');
  await page.getByTestId('group').filter({ hasText: 'dog → cat' }).click();
  await page.getByTestId('differing').locator('li').nth(3).waitFor();
  await page.waitForTimeout(300);
  await whole('history-1');
  await page.getByTestId('from-beginning').check();
  await page.waitForURL(/from=0&to=61/);
  await page.goBack();
});

test('a state is named by keyboard', LIMIT, async () => {
  await stage.open('/d/things/history');
  await page.getByTestId('name-state').focus();
  await page.keyboard.press('Enter');
  await page.getByRole('dialog').waitFor();
  await page.keyboard.type('first shift');
  await page.keyboard.press('Enter');
  await page.getByText('This state is called “first shift” now.').waitFor();
  assert.deepEqual(stage.sent(/states$/).map((call) => call.body), [{ name: 'first shift' }]);
});

test('two models differ by no more than chance, and the way leads to their data', LIMIT, async () => {
  await stage.open('/d/things/models');
  await page.getByRole('checkbox').nth(1).waitFor();
  for (const box of await page.getByRole('checkbox').all()) await box.check();
  await page.getByText(/No difference yet: \+4\.1 points, between -1\.2 and \+9\.4, on 180 examples/).waitFor();
  await page.waitForTimeout(300);
  await whole('history-2-compare');
  await page.getByTestId('data-diff').click();
  await page.waitForURL(/history\?from=44&to=58/);
});

test('a slider reads the learning curve', LIMIT, async () => {
  await stage.open('/d/things/models/second');
  await page.getByTestId('more-labels').fill('10');
  await page.getByText('With 270 labels in all').waitFor();
  assert(!/`| %/.test((await page.locator('main').innerText()) ?? ''), 'spelled as the studio spells');
  await page.waitForTimeout(300);
  await whole('history-3-curve');
});

test('what was promised stands beside what came of it', LIMIT, async () => {
  await stage.open('/d/things/worklist');
  await page.getByTestId('realised').getByText(/cannot be told yet/).waitFor();
  await page.waitForTimeout(300);
  await whole('history-4-gains');
});

test('from an answer to the examples that taught it', LIMIT, async () => {
  await stage.open('/d/things/try');
  await page.getByTestId('try-file').setInputFiles({ name: 'photo.png', mimeType: 'image/png', buffer: stage.server.picture });
  await page.getByTestId('lineage').click();
  await page.getByTestId('teachers').locator('li').nth(7).waitFor();
  await page.waitForTimeout(300);
  await whole('history-5-teachers');
  await page.getByTestId('teachers').locator('li a').first().click();
  await page.waitForURL(/gallery\?q=/);
});

test('in Chinese, in the dark, on a phone', LIMIT, async () => {
  const phone = await (await stage.browser.newContext({ locale: 'zh-CN', colorScheme: 'dark', viewport: { width: 390, height: 844 }, hasTouch: true, isMobile: true })).newPage();
  phone.on('pageerror', (error) => stage.complaints.push(error.message));
  for (const [at, name, ready] of [
    ['/d/things/history?from=44&to=61', 'history', 'diff-relabelled'], ['/d/things/models/second', 'curve', 'curve-reads'], ['/d/things/worklist', 'gains', 'realised'],
  ]) {
    await phone.goto(`${stage.base}#${at}`);
    await phone.getByTestId(ready ?? '').waitFor();
    await phone.waitForTimeout(400);
    await phone.screenshot({ path: stage.fileOf(`phone-${name}`), fullPage: true });
    const wide = await phone.evaluate(() => document.documentElement.scrollWidth - innerWidth);
    assert(wide <= 0, `${name} is ${wide} px too wide`);
  }
  await phone.context().close();
});
