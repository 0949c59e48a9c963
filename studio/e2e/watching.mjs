// Agreement of people, and deployments in use; also on a phone.

import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { begin } from './stage.mjs';
import { watched } from './watched.mjs';

const LIMIT = { timeout: 60_000 };
/** @type {Awaited<ReturnType<typeof begin>>} */
let stage;
/** @type {import('playwright-core').Page} */
let page;
/** @type {ReturnType<typeof watched>} */
let state;

before(async () => {
  stage = await begin();
  page = stage.page;
  state = watched(stage.server.world);
});
after(() => stage.close());

const shot = (/** @type {string} */ name) => page.screenshot({ path: stage.fileOf(name), fullPage: true });
const shows = (/** @type {string} */ id) => page.waitForFunction((want) => document.querySelector('[data-testid=dispute]')?.getAttribute('data-example') === want, id);
const text = async (/** @type {string} */ id) => (await page.getByTestId(id).textContent()) ?? '';

test('disputes are decided with the keyboard', LIMIT, async () => {
  await stage.open('/d/things/agreement');
  await page.getByTestId('dispute').waitFor();
  await page.waitForLoadState('networkidle');
  assert.match(await text('alpha'), /0\.71.*0\.58 to 0\.83.*Use with care/s);
  await shot('agree-1');
  await page.keyboard.press('ArrowRight');
  await shows('things-x1');
  await page.keyboard.press('ArrowLeft');
  await shows('things-x0');
  await page.keyboard.press('Enter');
  await shows('things-x1');
  await page.keyboard.press('3');
  await shows('things-x2');
  await page.keyboard.press('Backspace');
  await shows('things-x1');
  assert.match(await text('decided'), /bird/);
  await page.keyboard.press('1');
  await shows('things-x2');
  await page.keyboard.press('Enter');
  await page.getByText('All decided').waitFor();
  await page.waitForTimeout(200);
  assert.deepEqual(stage.sent(/decisions$/).map(({ body }) => [body.example, body.label]), [['things-x0', 'dog'], ['things-x1', 'bird'], ['things-x1', 'cat'], ['things-x2', 'dog']]);
});

test('a decision that is not taken comes back', LIMIT, async () => {
  await stage.open('/d/sounds/agreement');
  await page.getByTestId('dispute').waitFor();
  state.refused.push('decisions');
  const known = stage.complaints.length;
  await page.keyboard.press('1');
  await page.getByText('The decision was not saved').waitFor();
  assert.match(await text('left'), /3 of 3/);
  state.refused.length = 0;
  // The browser tells of the answer 404 itself.
  stage.complaints.splice(known);
});

test('several labels and numbers are decided, too', LIMIT, async () => {
  await stage.open('/d/tags/agreement');
  await page.getByTestId('dispute').waitFor();
  for (const key of ['1', '3', 'Enter']) await page.keyboard.press(key);
  await shows('tags-x1');
  await page.keyboard.press('Enter');
  await shows('tags-x2');
  await page.keyboard.press('0');
  await shot('agree-2-classes');
  await page.waitForTimeout(200);
  assert.deepEqual(stage.sent(/decisions$/).map(({ body }) => body.labels), [['rust', 'wet'], ['dirt', 'rust'], []]);
  await stage.open('/d/weights/agreement');
  await page.getByTestId('number').fill('2,75');
  await page.keyboard.press('Enter');
  await shows('weights-x1');
  await page.waitForTimeout(200);
  assert.deepEqual(stage.sent(/decisions$/).map(({ body }) => body.number), [2.75]);
});

test('one person alone is told to ask a second', LIMIT, async () => {
  state.people = 1;
  await stage.open('/d/texts/agreement');
  await page.getByRole('button', { name: 'Ask two people' }).click();
  await page.getByText('Each example waits for a second answer').waitFor();
  assert.equal(await page.getByTestId('annotators').inputValue(), '2');
  await page.getByRole('switch').click();
  await page.getByText('Labellers see neither').waitFor();
  await shot('agree-3-alone');
  assert.deepEqual(stage.sent(/datasets\/texts$/).map(({ body }) => body), [{ annotators: 2 }, { blind: true }]);
  state.people = 3;
});

test('labellers see no agreement, and are told that others are hidden', LIMIT, async () => {
  state.role = 'labeller';
  await stage.open('/d/texts/label');
  await page.reload();
  await page.getByTestId('asked').waitFor();
  assert.match(await text('asked'), /2 people answer .* hidden/);
  assert.equal(await page.getByTestId('tab-agreement').count(), 0);
  await stage.open('/d/texts/agreement');
  await page.getByText('Only editors see').waitFor();
  state.role = 'owner';
  await page.reload();
});

test('a change of inputs is told on the card, explained, and accepted', LIMIT, async () => {
  await stage.open('/deployments');
  await page.getByTestId('changed').waitFor();
  await shot('monitor-1-cards');
  await page.getByTestId('changed').getByRole('link').click();
  await page.getByTestId('drift').getByText('no longer like').waitFor();
  assert.match(await text('mix-word'), /more than chance.*p < 0\.0001/s);
  await shot('monitor-2-changed');
  await page.getByRole('button', { name: 'Accept the change' }).click();
  await page.getByRole('dialog').getByRole('button', { name: 'Accept the change' }).click();
  await page.getByText('Nothing changed so far').waitFor();
});

test('a shadow is compared, answers, and is rolled back', LIMIT, async () => {
  await stage.open('/deployments/steady');
  await page.getByTestId('same').waitFor();
  assert.match(await text('same'), /95%.*94% to 97%|95\.5%.*93\.6% to 96\.8%/s);
  await page.getByText('As a table').click();
  await shot('monitor-3-steady');
  await page.getByTestId('shadow-model').selectOption('');
  await page.getByText('No model runs in the shadow any more').waitFor();
  await page.getByTestId('shadow-model').selectOption('m2');
  await page.getByRole('button', { name: 'Let it answer' }).click();
  await page.getByText('“things 2” answers now.').waitFor();
  await page.getByTestId('shadow-model').waitFor();
  await page.getByRole('button', { name: 'Roll back' }).first().click();
  await page.getByText('is back to the model before').waitFor();
  assert.deepEqual(stage.sent(/deployments\/steady$/).map(({ body }) => body), [
    { model: 'm1', collects: 'things', shadow: null }, { model: 'm1', collects: 'things', shadow: 'm2' }, { model: 'm2', collects: 'things', shadow: null },
  ]);
});

test('how long doubtful inputs are kept is set beside them', LIMIT, async () => {
  await stage.open('/deployments');
  const days = page.getByTestId('keep-days').first();
  assert.equal(await days.inputValue(), '30');
  await days.fill('0');
  await days.blur();
  assert.deepEqual(stage.sent(/deployments\/parts$/), [], 'none are too few');
  await days.fill('7');
  await days.blur();
  assert.deepEqual(stage.sent(/deployments\/parts$/), [], 'fewer days are asked about first');
  await page.getByRole('button', { name: 'Keep them for fewer days' }).click();
  await page.getByText('goes again after 7 days').first().waitFor();
  assert.deepEqual(stage.sent(/deployments\/parts$/).map(({ body }) => body), [{ model: 'm1', collects: 'things', keep_days: 7, shadow: null }]);
  await stage.shot('keep-days');
});

test('the audit log says whether it is as it was written', LIMIT, async () => {
  for (const [broken_at, told] of /** @type {[number | null, string][]} */ ([[null, 'all of them as they were written'], [2, 'Entry 2 is not as it was written']])) {
    state.broken_at = broken_at;
    await stage.open('/settings');
    await page.reload();
    await page.getByRole('button', { name: 'Show it' }).click();
    await page.getByTestId('seal').getByText(told).waitFor();
    await page.getByRole('cell', { name: 'the server' }).waitFor();
  }
  await stage.shot('trail');
});

test('what was never asked says so; what is not there, too', LIMIT, async () => {
  await stage.open('/deployments/fresh');
  await page.getByText('It has not been asked yet').waitFor();
  await shot('monitor-4-fresh');
  await stage.open('/deployments/nowhere');
  await page.getByText('This deployment is not there').waitFor();
});

test('in Chinese, in the dark, on a phone', LIMIT, async () => {
  const phone = await (await stage.browser.newContext({ locale: 'zh-CN', colorScheme: 'dark', viewport: { width: 390, height: 844 }, hasTouch: true, isMobile: true })).newPage();
  phone.on('pageerror', (error) => stage.complaints.push(error.message));
  state.deployments.parts.changed_at = '2026-11-24T07:30:00Z';
  for (const [at, name, ready] of [['/d/things/agreement', 'agree', 'dispute'], ['/deployments', 'deployments', 'changed'], ['/deployments/parts', 'monitor', 'shadow']]) {
    await phone.goto(`${stage.base}#${at}`);
    await phone.getByTestId(ready ?? '').first().waitFor();
    await phone.waitForTimeout(400);
    await phone.screenshot({ path: stage.fileOf(`phone-${name}`), fullPage: true });
    const wide = await phone.evaluate(() => document.documentElement.scrollWidth - innerWidth);
    assert(wide <= 0, `${name} is ${wide} px too wide`);
  }
  await phone.context().close();
});
