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

test('the data go back to a state by keyboard, which says first what that changes, and back again', LIMIT, async () => {
  await stage.open('/d/things/history');
  await page.getByTestId('back-2').focus();
  await page.keyboard.press('Enter');
  const dialog = page.getByRole('dialog');
  await dialog.getByText('6 examples get their labels of then').waitFor();
  await dialog.getByText('12 examples that were not there then are taken out').waitFor();
  await dialog.getByText('1 example that was there then comes back').waitFor();
  assert.equal(await dialog.getByTestId('back-marked').count(), 0, 'what does not change is not told');
  await page.waitForTimeout(300);
  await stage.shot('history-6-back');
  await page.keyboard.press('Escape');
  await dialog.waitFor({ state: 'detached' });
  assert.deepEqual(stage.sent(/restore$/).map((call) => call.body), [{ seq: 50, dry_run: true }], 'nothing is done yet');

  await page.getByTestId('from-0').check();
  await page.getByTestId('to-3').check();
  await page.getByTestId('back-diff').click();
  await dialog.getByText('Model “things 1” was tuned').waitFor();
  await dialog.getByTestId('back-go').focus();
  await page.keyboard.press('Enter');
  await page.getByText('Went back to: Model “things 1” was tuned').waitFor();
  assert.deepEqual(stage.sent(/restore$/).map((call) => call.body).slice(1), [{ seq: 44, dry_run: true }, { seq: 44, if_seq: 61 }]);
  assert.equal(await page.getByTestId('to-0').isChecked() && await page.getByTestId('from-1').isChecked(), true, 'what it changed is shown');
  await page.getByText('me: 6 labels or marks as before').waitFor();
  await whole('history-7-went-back');
  await page.getByRole('button', { name: 'Undo', exact: true }).click();
  await page.getByText('The data are as they were before.').waitFor();
  assert.deepEqual(stage.sent(/restore$/).at(-1)?.body, { seq: 61, if_seq: 80 });
});

test('whoever was quicker is told, and what going back changes is asked for again', LIMIT, async () => {
  await stage.open('/d/things/history');
  const refused = { code: 'state_changed', message: 'somebody changed the data meanwhile: they are at state 99', hint: 'look at what differs now, and go back again', request_id: 'r' };
  await page.getByTestId('back-3').click();
  await page.getByTestId('back-counts').waitFor();
  await page.route('**/states/restore', (route) => route.fulfill({ status: 409, json: refused }), { times: 1 });
  const asked = page.waitForRequest((request) => /dry_run/.test(request.postData() ?? ''));
  await page.getByTestId('back-go').click();
  await page.getByRole('alert').getByText(/at state 99/).waitFor();
  await asked;
  assert.match(stage.complaints.pop() ?? '', /409/);
  await page.getByTestId('back-go').click();
  await page.getByRole('dialog').waitFor({ state: 'detached' });
});

test('who may not go back reads why', LIMIT, async () => {
  stage.server.world.datasets.things.annotators = 3;
  await stage.open('/d/things/history?to=24');
  await page.reload({ timeout: 50_000 });
  await page.getByTestId('back-why-not').getByText(/ask one person first/).waitFor();
  assert.equal(await page.getByTestId('back-1').isDisabled(), true);
  stage.server.world.datasets.things.annotators = 1;
  const person = { id: 'p', name: 'me', role: 'labeller', email: null, has_password: false, linked: false };
  await page.route('**/v1/session', (route) => route.fulfill({ json: { person, tenant: { id: 't', name: 't' } } }));
  await page.reload({ timeout: 50_000 });
  await page.getByTestId('back-why-not').getByText('Only editors can go back to a state.').waitFor();
  assert.equal(await page.getByTestId('back-1').isDisabled(), true);
  await page.unroute('**/v1/session');
  await page.reload({ timeout: 50_000 });
  await page.getByTestId('back-1').and(page.locator(':enabled')).waitFor();
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
