// Tasks, export, inspectors, the map; and everything on a phone.

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
  stage.server.world.found('things-x0').marks = [{ class: 'dog', shape: 'box', x: 650, y: 330, width: 200, height: 80 }];
});
after(() => stage.close());

const open = (/** @type {string} */ hash) => stage.open(hash);
const sent = (/** @type {RegExp} */ at) => stage.sent(at);
const shot = (/** @type {string} */ name) => stage.shot(name);

test('several labels are ticked and saved, or none of them', LIMIT, async () => {
  await open('/d/tags/label');
  await page.getByTestId('current').waitFor();
  for (const key of ['1', '3', '1', '2']) await page.keyboard.press(key);
  await shot('tasks-1-classes');
  await page.keyboard.press('Enter');
  await page.waitForFunction(() => document.querySelector('[data-testid=current]')?.getAttribute('data-example') === 'tags-x1');
  await page.keyboard.press('0');
  await page.waitForFunction(() => document.querySelector('[data-testid=current]')?.getAttribute('data-example') === 'tags-x2');
  await page.waitForTimeout(300);
  assert.deepEqual(sent(/labels$/).map((call) => call.body.labels), [['dirt', 'wet'], []]);
});

test('suggested labels are accepted by one key, or ticked to be mended', LIMIT, async () => {
  await open('/d/tags/label');
  const current = page.getByTestId('current');
  await page.getByTestId('suggests').getByText('dirt').waitFor();
  await page.getByTestId('accuracy-value').getByText('86%').waitFor();
  await shot('tasks-3-suggested');
  const first = await current.getAttribute('data-example');
  await page.keyboard.press('Enter');
  await page.waitForFunction((old) => document.querySelector('[data-testid=current]')?.getAttribute('data-example') !== old, first);
  await page.getByTestId('suggests').getByText('rust').waitFor();
  await page.keyboard.press('.');
  await page.getByTestId('suggests').waitFor({ state: 'detached' });
  await page.keyboard.press('2');
  await shot('tasks-4-mended');
  await page.keyboard.press('Enter');
  await page.getByTestId('suggests').getByText('none applies').waitFor();
  await page.keyboard.press('Enter');
  await page.waitForTimeout(300);
  assert.deepEqual(sent(/labels$/).map((call) => call.body.labels), [['dirt'], ['rust', 'dirt', 'wet'], []]);
});

test('findings about several labels and numbers are decided by keys', LIMIT, async () => {
  await open('/d/tags/worklist');
  await page.getByTestId('finding').waitFor();
  await shot('tasks-5-worklist');
  await page.keyboard.press('3');
  await page.keyboard.press('Enter');
  await page.getByText('Relabel as “none applies”').waitFor();
  await page.keyboard.press('y');
  await page.waitForTimeout(200);
  assert.deepEqual(sent(/worklist/).map(({ path, body }) => [path.at(-1), body.decision, body.labels]), [['1', 'relabel', ['rust', 'wet']], ['2', 'relabel', undefined]]);
  await open('/d/weights/worklist');
  await page.getByTestId('finding').getByText('6.2').first().waitFor();
  await page.getByText('Another number').click();
  await page.getByTestId('number').fill('6,5');
  await shot('tasks-6-worklist');
  await page.keyboard.press('Enter');
  await page.waitForTimeout(200);
  assert.equal(sent(/worklist/)[0]?.body.number, 6.5);
});

test('a number is typed and given', LIMIT, async () => {
  await open('/d/weights/label');
  await page.getByTestId('number').waitFor();
  await page.keyboard.type('2,5');
  await page.keyboard.press('ArrowUp');
  await shot('tasks-2-number');
  await page.keyboard.press('Enter');
  await page.waitForFunction(() => document.querySelector('[data-testid=current]')?.getAttribute('data-example') === 'weights-x1');
  await page.waitForTimeout(200);
  assert.equal(sent(/labels$/)[0]?.body.number, 2.6);
  // The next one as the model suggests it.
  await page.getByTestId('suggests').getByText('5.2').waitFor();
  await shot('tasks-2-suggested');
  await page.keyboard.press('Enter');
  await page.waitForFunction(() => document.querySelector('[data-testid=current]')?.getAttribute('data-example') === 'weights-x2');
  await page.waitForTimeout(200);
  assert.equal(sent(/labels$/)[1]?.body.number, 5.2);
});

test('the export says what a format would lose', LIMIT, async () => {
  await open('/d/things/gallery');
  await page.getByTestId('export-open').click();
  await page.getByTestId('format-folders').check();
  await page.getByText('Marks on 1').waitFor();
  await shot('export');
  assert.match((await page.getByTestId('export').getAttribute('href')) ?? '', /format=folders&files=1/);
});

test('an inspector promises in words and shows where it erred', LIMIT, async () => {
  await open('/d/parts/models');
  await page.getByTestId('alarms').waitFor();
  await page.getByTestId('alarms').fill('1');
  assert.match((await page.getByTestId('alarm-rate').textContent()) ?? '', /1\s?%/);
  await shot('inspector-1-tune');
  await open('/d/parts/models/inspector');
  await page.getByText('At most 5% of good parts alarm, with 95% confidence.').waitFor();
  await page.waitForLoadState('networkidle');
  await page.getByTestId('inspector').scrollIntoViewIfNeeded();
  await page.screenshot({ path: stage.fileOf('inspector-2-model'), fullPage: true });
  // Each beside where it looks on it; a press shows both large, and the arrows lead on.
  await page.getByTestId('part-heat').nth(3).waitFor();
  /** What lets a look be answered. @type {(() => void)[]} */
  const looks = [];
  await page.route(/\/inspected\/[^/]+$/, (route) => void looks.push(() => void route.continue()));
  await page.getByTestId('part').nth(1).click();
  // What is written down is there while the model still looks, and stays where looking fails.
  await page.getByTestId('part-seen').getByText('This model is looking at it now').waitFor();
  await page.waitForFunction(() => document.querySelectorAll('[data-testid=part-seen] polygon').length === 4);
  await shot('inspector-2-part-looking');
  looks.shift()?.();
  await page.unroute(/\/inspected\/[^/]+$/);
  await page.getByTestId('part-seen').getByText('This model has learned it since', { exact: false }).waitFor();
  await page.getByTestId('heat').waitFor();
  await page.getByText('1 of 2').waitFor();
  await shot('inspector-2-part');
  await page.getByText('As those models saw it that had not learned it').click();
  await page.waitForFunction(() => document.querySelectorAll('[data-testid=part-seen] polygon').length === 4);
  await shot('inspector-2-part-now');
  await page.getByText('As those models saw it that had not learned it').click();
  await page.route(/\/inspected\/[^/]+$/, (route) => void route.fulfill({ status: 503, json: { code: 'busy', message: 'too much is under way', hint: null, request_id: 'r' } }));
  await page.keyboard.press('ArrowRight');
  await page.getByText('2 of 2').waitFor();
  await page.getByTestId('part-seen').getByRole('alert').getByText('too much is under way').waitFor();
  await page.getByTestId('heat').waitFor();
  await shot('inspector-2-part-failed');
  // The browser says so as well; that was meant.
  assert.match(stage.complaints.splice(0).join(), /^[^,]*status of 503[^,]*$/);
  await page.unroute(/\/inspected\/[^/]+$/);
  await page.getByTestId('part-seen').getByRole('button', { name: 'Try again' }).click();
  await page.getByTestId('part-seen').getByText('By this model', { exact: false }).waitFor();
  await page.getByRole('link', { name: 'Show in the gallery' }).click();
  await page.waitForURL(/gallery\?q=/);
  await page.getByRole('dialog').waitFor();
});

test('a photo is tried with its heat map', LIMIT, async () => {
  await open('/d/parts/try');
  await page.getByTestId('try-file').setInputFiles({ name: 'photo.png', mimeType: 'image/png', buffer: stage.server.picture });
  await page.getByTestId('answer').getByText('Alarm: scratch').waitFor();
  await page.getByTestId('heat').waitFor();
  await shot('inspector-3-try');
});

test('a long sound is told stretch by stretch, and each can be heard', LIMIT, async () => {
  await open('/d/sounds/try');
  await page.getByTestId('try-file').setInputFiles({ name: 'long.wav', mimeType: 'audio/wav', buffer: stage.server.wave });
  const rows = page.getByTestId('stretches').getByRole('button');
  await page.getByTestId('answer').getByText('5 stretches').waitFor();
  assert.equal(await rows.count(), 5);
  await page.getByTestId('stretches').getByText('Probably cough').waitFor();
  await rows.nth(3).focus();
  await page.keyboard.press('Enter');
  await page.waitForFunction(() => (document.querySelector('audio')?.currentTime ?? 0) >= 1);
  await shot('stretches-1');
});

test('a lasso on the map selects, and a key labels all of it', LIMIT, async () => {
  await open('/d/things/map');
  const map = page.getByTestId('map');
  await map.waitFor();
  await page.waitForTimeout(300);
  const box = await map.boundingBox();
  assert(box);
  await page.mouse.move(box.x + box.width * 0.69, box.y + box.height * 0.5);
  await page.waitForTimeout(400);
  await shot('map-1');
  await page.keyboard.press('l');
  const outline = [[0.55, 0.3], [0.85, 0.3], [0.85, 0.7], [0.55, 0.7]];
  await page.mouse.move(box.x + box.width * 0.55, box.y + box.height * 0.3);
  await page.mouse.down();
  for (const [x, y] of outline) await page.mouse.move(box.x + box.width * (x ?? 0), box.y + box.height * (y ?? 0), { steps: 5 });
  await page.mouse.up();
  await page.getByTestId('chosen').getByText(/[1-9]\d* selected/).waitFor();
  await page.waitForTimeout(300);
  await shot('map-2-lasso');
  await page.keyboard.press('2');
  await page.waitForTimeout(500);
  const given = sent(/batch$/).flatMap((call) => call.body.labels);
  assert(given.length > 10 && given.every((/** @type {any} */ one) => one.label === 'dog'));
});

test('numbers and several labels have colours on the map', LIMIT, async () => {
  await open('/d/weights/map');
  await page.getByTestId('map').waitFor();
  await page.getByTestId('groups').getByRole('button', { name: /above .*, up to/ }).first().click();
  await page.getByTestId('chosen').getByText(/[1-9]\d* selected/).waitFor();
  await page.waitForTimeout(300);
  await shot('map-3-numbers');
  await open('/d/tags/map');
  await page.getByTestId('map-class').selectOption('wet');
  await page.getByTestId('groups').getByRole('button', { name: /wet/ }).click();
  await page.getByTestId('chosen').getByText(/[1-9]\d* selected/).waitFor();
  await page.waitForTimeout(300);
  await shot('map-4-sets');
  await open('/d/things/map');
  await page.getByTestId('map').waitFor();
});

test('the list of the map does without a pointer', LIMIT, async () => {
  await page.getByTestId('groups').getByRole('button', { name: /the model disagrees/ }).focus();
  await page.keyboard.press('Enter');
  await page.getByTestId('chosen').getByText(/[1-9]\d* selected/).waitFor();
});

/** Two fingers on the picture, moved apart. @param {import('playwright-core').Page} phone */
async function pinch(phone) {
  const box = await phone.getByTestId('marking').boundingBox();
  assert(box);
  const before = await phone.locator('.paper').getAttribute('style');
  const [x, y] = [box.x + box.width / 2, box.y + box.height / 2];
  const touch = await phone.context().newCDPSession(phone);
  const at = (/** @type {number} */ gap) => [{ x: x - gap, y, id: 0 }, { x: x + gap, y, id: 1 }];
  await touch.send('Input.dispatchTouchEvent', { type: 'touchStart', touchPoints: at(30) });
  for (const gap of [45, 60, 90]) await touch.send('Input.dispatchTouchEvent', { type: 'touchMove', touchPoints: at(gap) });
  await touch.send('Input.dispatchTouchEvent', { type: 'touchEnd', touchPoints: [] });
  await phone.waitForTimeout(100);
  const scale = (/** @type {string | null} */ style) => Number(/scale\(([\d.]+)\)/.exec(style ?? '')?.[1]);
  assert(scale(await phone.locator('.paper').getAttribute('style')) > 2 * scale(before), 'a pinch zooms');
  assert.equal(await phone.locator('[data-testid=marks] li').count(), 1, 'and draws nothing');
}

test('in Chinese, in the dark, on a phone', LIMIT, async () => {
  const phone = await (await stage.browser.newContext({ locale: 'zh-CN', colorScheme: 'dark', viewport: { width: 390, height: 844 }, hasTouch: true, isMobile: true })).newPage();
  phone.on('pageerror', (error) => stage.complaints.push(error.message));
  for (const [at, name, ready] of [
    ['/', 'home', 'drop-zone'], ['/d/things/label', 'label', 'current'], ['/d/weights/label', 'number', 'number'], ['/d/tags/label', 'tags', 'suggests'], ['/d/tags/worklist', 'worklist', 'finding'], ['/d/texts/label', 'texts', 'current'],
    ['/d/parts/models/inspector', 'inspector', 'inspector'], ['/d/things/map', 'map', 'map'], ['/d/weights/map', 'numbers-map', 'map'],
  ]) {
    await phone.goto(`${stage.base}#${at}`);
    await phone.getByTestId(ready ?? '').waitFor();
    if (name === 'label') await pinch(phone);
    await phone.waitForTimeout(400);
    await phone.screenshot({ path: stage.fileOf(`phone-${name}`), fullPage: name === 'inspector' });
    const wide = await phone.evaluate(() => document.documentElement.scrollWidth - innerWidth);
    assert(wide <= 0, `${name} is ${wide} px too wide`);
  }
  await phone.context().close();
});
