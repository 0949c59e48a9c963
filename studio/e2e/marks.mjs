// Marks on pictures, texts and sounds: by hand, by keyboard, without a network, and taken back.

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
});
after(() => stage.close());

const open = (/** @type {string} */ hash) => stage.open(hash);
const sent = (/** @type {RegExp} */ at) => stage.sent(at);
const server = () => stage.server.calls;
const shot = (/** @type {string} */ name) => stage.shot(name);

/** The frame of the picture, once the picture is there. */
async function frame() {
  const at = page.getByTestId('marking');
  await at.waitFor();
  await page.getByTestId('example-image').evaluate((/** @type {HTMLImageElement} */ image) => image.decode());
  const box = await at.boundingBox();
  assert(box);
  return box;
}

/** @param {[number, number][]} points shares of the frame */
async function drag(points) {
  const box = await frame();
  const at = points.map(([x, y]) => [box.x + box.width * x, box.y + box.height * y]);
  const [first, ...rest] = at;
  await page.mouse.move(first?.[0] ?? 0, first?.[1] ?? 0);
  await page.mouse.down();
  for (const [x, y] of rest) await page.mouse.move(x ?? 0, y ?? 0, { steps: 6 });
  await page.mouse.up();
}

test('a defect is marked before the label leaves, in one letter each', LIMIT, async () => {
  await open('/d/parts/label');
  await page.getByTestId('current').waitFor();
  await page.keyboard.press('2');
  await page.getByTestId('defect').waitFor();
  await drag([[0.4, 0.4], [0.6, 0.6]]);
  await page.getByTestId('marks').getByText('scratch').waitFor();
  await shot('marks-1-box');
  await page.keyboard.press('Enter');
  await page.waitForFunction(() => document.querySelector('[data-testid=current]')?.getAttribute('data-example') === 'parts-x1');
  await page.waitForTimeout(300);
  const [marks] = sent(/marks$/);
  assert.equal(sent(/marks$/).length, 1);
  assert.equal(marks?.body.marks[0].shape, 'box');
  assert.equal(marks?.body.marks[0].class, 'scratch');
  const { x, y, width, height } = marks?.body.marks[0];
  assert(x > 0 && y > 0 && x + width < 1200 && y + height < 900, `${x} ${y} ${width} ${height}`);
  assert.deepEqual(sent(/labels$/).map((call) => call.body.label), ['scratch']);
  assert(stage.server.calls.findIndex((call) => /marks$/.test(call.path)) < stage.server.calls.findIndex((call) => /labels$/.test(call.path)), 'marks go first');
});

test('a good part is one key', LIMIT, async () => {
  await page.keyboard.press('1');
  await page.waitForFunction(() => document.querySelector('[data-testid=current]')?.getAttribute('data-example') === 'parts-x2');
});

test('undo brings the label back, then the marks', LIMIT, async () => {
  await page.keyboard.press('Backspace');
  await page.waitForFunction(() => document.querySelector('[data-testid=current]')?.getAttribute('data-example') === 'parts-x1');
  await page.keyboard.press('Backspace');
  await page.waitForFunction(() => document.querySelector('[data-testid=current]')?.getAttribute('data-example') === 'parts-x0');
  await page.getByTestId('marks').waitFor();
  assert.equal(stage.server.world.found('parts-x0').label, null);
  assert.equal(stage.server.world.found('parts-x0').marks.length, 1);
});

test('by keyboard alone: a box, a polygon, a brush', LIMIT, async () => {
  await open('/d/things/label');
  await page.getByTestId('current').waitFor();
  await page.keyboard.press('m');
  await frame();
  await page.keyboard.press('2');
  await page.keyboard.press('b');
  for (const key of ['Shift+ArrowLeft', 'Shift+ArrowUp', 'Enter', 'Shift+ArrowRight', 'Shift+ArrowRight', 'Shift+ArrowDown', 'Enter']) await page.keyboard.press(key);
  await page.getByTestId('marks').getByText('dog').waitFor();
  await page.keyboard.press('p');
  for (const key of ['Shift+ArrowRight', 'Shift+ArrowRight', 'Space', 'Shift+ArrowRight', 'Space', 'Shift+ArrowDown', 'Space', 'Enter']) await page.keyboard.press(key);
  await page.keyboard.press('r');
  await page.keyboard.press('Escape');
  for (const key of ['Shift+ArrowLeft', 'Shift+ArrowLeft', 'Shift+ArrowLeft', 'Shift+ArrowLeft', 'Shift+ArrowLeft', 'Space', 'Shift+ArrowDown', 'Space']) await page.keyboard.press(key);
  await page.waitForFunction(() => document.querySelectorAll('[data-testid=marks] li').length === 3);
  await shot('marks-2-keyboard');
  // Taken back and made again.
  await page.keyboard.press('Control+z');
  await page.waitForFunction(() => document.querySelectorAll('[data-testid=marks] li').length === 2);
  await page.keyboard.press('Control+Shift+z');
  await page.waitForFunction(() => document.querySelectorAll('[data-testid=marks] li').length === 3);
  // Tab goes through them; the selected one moves, and a class key changes its class.
  await page.keyboard.press('v');
  await page.keyboard.press('Escape');
  await page.keyboard.press('Tab');
  await page.keyboard.press('ArrowRight');
  await page.keyboard.press('1');
  await page.getByTestId('marks').getByText('cat').waitFor();
  await page.keyboard.press('Control+Enter');
  await page.waitForTimeout(400);
  const marks = sent(/marks$/).at(-1)?.body.marks;
  assert.deepEqual(marks.map((/** @type {any} */ mark) => mark.shape), ['box', 'polygon', 'brush']);
  assert.equal(marks[0].class, 'cat');
  assert.equal(marks[2].runs.reduce((/** @type {number} */ a, /** @type {number} */ b) => a + b, 0), 1200 * 900);
});

test('by hand: a polygon, moved and pulled at a corner; a stroke, partly erased', LIMIT, async () => {
  const n = (/** @type {number} */ wanted) => page.waitForFunction((count) => document.querySelectorAll('[data-testid=marks] li').length === count, wanted);
  const box = await frame();
  const at = (/** @type {[number, number]} */ [x, y]) => page.mouse.click(box.x + box.width * x, box.y + box.height * y);
  await page.getByTestId('tool-polygon').click();
  for (const corner of /** @type {[number, number][]} */ ([[0.4, 0.2], [0.6, 0.2], [0.5, 0.4], [0.4, 0.2]])) await at(corner);
  await n(1);
  await page.getByTestId('tool-select').click();
  await drag([[0.5, 0.25], [0.5, 0.35]]);
  await drag([[0.6, 0.3], [0.65, 0.3]]);
  await page.getByTestId('tool-brush').click();
  await page.keyboard.press('Escape');
  await drag([[0.35, 0.7], [0.65, 0.7]]);
  await n(2);
  await page.getByTestId('tool-eraser').click();
  await drag([[0.5, 0.62], [0.5, 0.78]]);
  await shot('marks-5-by-hand');
  server().length = 0;
  await page.keyboard.press('Control+Enter');
  await page.waitForTimeout(400);
  const [polygon, brush] = sent(/marks$/).at(-1)?.body.marks ?? [];
  const [a, b, c] = polygon.points;
  assert(b[0] - a[0] > (c[0] - a[0]) * 2.3, `the corner was pulled: ${polygon.points}`);
  assert(Math.abs(a[1] - b[1]) < 3 && c[1] > a[1], `${polygon.points}`);
  // Erased across: at least one row of the stroke has two pieces.
  const rows = new Map();
  let place = 0;
  brush.runs.forEach((/** @type {number} */ length, /** @type {number} */ i) => {
    if (i % 2 === 1) rows.set(Math.floor(place / 1200), (rows.get(Math.floor(place / 1200)) ?? 0) + 1);
    place += length;
  });
  assert(Math.max(...rows.values()) === 2, 'the eraser cut the stroke');
});

test('the help tells all keys', LIMIT, async () => {
  await page.keyboard.press('?');
  await page.getByRole('dialog').getByText('Move the crosshair').waitFor();
  await shot('marks-6-help');
  await page.keyboard.press('Escape');
});

test('marks given without a network arrive when it is back', LIMIT, async () => {
  stage.server.calls.length = 0;
  await page.getByTestId('tool-brush').click();
  await page.context().setOffline(true);
  await drag([[0.3, 0.3], [0.5, 0.5], [0.6, 0.3]]);
  await page.waitForTimeout(3000);
  assert.equal(sent(/marks$/).length, 0);
  await page.context().setOffline(false);
  for (let i = 0; i < 40 && sent(/marks$/).length === 0; i += 1) await page.waitForTimeout(250);
  assert.equal(sent(/marks$/).at(-1)?.body.marks[0].shape, 'brush');
});

test('marks that the server refuses come back, once', LIMIT, async () => {
  const refused = /\/marks$/;
  let asked = 0;
  await page.route(refused, (route) => {
    asked += 1;
    return route.fulfill({ status: 400, json: { code: 'invalid', message: 'not today', hint: null, request_id: 'r' } });
  });
  const id = await page.getByTestId('current').getAttribute('data-example');
  const before = await page.locator('[data-testid=marks] li').count();
  await page.keyboard.press('b');
  await drag([[0.2, 0.2], [0.3, 0.3]]);
  await page.keyboard.press('Control+Enter');
  await page.getByText('Not today').waitFor();
  assert.equal(await page.getByTestId('current').getAttribute('data-example'), id, 'the example is shown again');
  assert.equal(await page.locator('[data-testid=marks] li').count(), before + 1, 'with what was drawn');
  await page.waitForTimeout(3000);
  assert.equal(asked, 1, 'and is not sent again and again');
  await page.unroute(refused);
  await page.keyboard.press('Control+z');
  stage.complaints.splice(0, stage.complaints.length, ...stage.complaints.filter((text) => !/400/.test(text)));
});

test('the wheel zooms where the pointer is, space pans', LIMIT, async () => {
  const box = await frame();
  const before = await page.locator('.paper').getAttribute('style');
  await page.mouse.move(box.x + box.width / 2, box.y + box.height / 2);
  await page.mouse.wheel(0, -600);
  await page.waitForFunction((old) => document.querySelector('.paper')?.getAttribute('style') !== old, before);
  await shot('marks-3-zoomed');
  const id = await page.getByTestId('current').getAttribute('data-example');
  const zoomed = await page.locator('.paper').getAttribute('style');
  await page.keyboard.down('Space');
  await drag([[0.5, 0.5], [0.6, 0.6]]);
  await page.keyboard.up('Space');
  assert.notEqual(await page.locator('.paper').getAttribute('style'), zoomed);
  assert.equal(await page.getByTestId('current').getAttribute('data-example'), id, 'space skips nothing');
  assert.equal(await page.locator('[data-testid=marks] li').count(), 1, 'and draws nothing');
  await page.keyboard.press('f');
});

test('marks are seen and changed in the gallery', LIMIT, async () => {
  await open('/d/things/gallery');
  await page.getByTestId('grid').getByRole('option').first().click();
  await frame();
  await shot('marks-4-gallery');
  // What is saved on a pause can still be taken back, and Escape leaves the selection before it closes.
  await page.keyboard.press('b');
  await drag([[0.2, 0.7], [0.3, 0.8]]);
  await page.waitForFunction(() => document.querySelectorAll('[data-testid=marks] li').length === 4);
  for (let i = 0; i < 40 && sent(/marks$/).length === 0; i += 1) await page.waitForTimeout(250);
  assert.equal(sent(/marks$/)[0]?.body.marks.length, 4);
  await page.keyboard.press('Control+z');
  await page.waitForFunction(() => document.querySelectorAll('[data-testid=marks] li').length === 3);
  await page.keyboard.press('Tab');
  await page.keyboard.press('Escape');
  assert(await page.getByRole('dialog').isVisible());
  await page.keyboard.press('Escape');
  await page.getByRole('dialog').waitFor({ state: 'detached' });
  for (let i = 0; i < 40 && sent(/marks$/).length < 2; i += 1) await page.waitForTimeout(100);
  assert.equal(sent(/marks$/)[1]?.body.marks.length, 3);
});

test('what an inspector suggests is accepted, refused and hidden by keys, and only then saved', LIMIT, async () => {
  const region = (/** @type {number} */ x, /** @type {string | null} */ name, /** @type {number} */ score) => ({
    mark: { class: name, shape: 'polygon', points: [[x, 200], [x + 120, 220], [x + 90, 340], [x + 10, 300]], suggested_by: 'inspector' }, score, times: null,
  });
  stage.server.world.suggested['parts-x6'] = { model: { id: 'inspector', name: 'parts 1' }, marks: [region(100, 'dent', 4.2), region(400, null, 2.5), region(700, null, 1.7), region(950, null, 1.3)] };
  await open('/d/parts/gallery?q=006&open=1');
  await page.getByRole('dialog').waitFor();
  // The mock filters nothing.
  for (let i = 0; i < 6; i += 1) await page.keyboard.press('PageDown');
  await page.getByText('parts/006.png').first().waitFor();
  await page.keyboard.press('m');
  await page.getByTestId('offers').getByText('Suggested by the model “parts 1”: 4').waitFor();
  assert.equal(await page.getByTestId('offer').count(), 4);
  await shot('offers-1');
  await page.keyboard.press('l');
  await page.waitForFunction(() => document.querySelectorAll('[data-testid=offer]').length === 0);
  for (const key of ['y', 'k', 'x']) await page.keyboard.press(key);
  await page.waitForTimeout(300);
  assert.deepEqual([await page.getByTestId('from').count(), sent(/marks$/).length], [0, 0], 'what is hidden is not answered');
  await page.keyboard.press('l');
  await page.keyboard.press('y');
  await page.keyboard.press('x');
  await page.getByTestId('offers').getByText(': 2').waitFor();
  await shot('offers-2');
  await page.keyboard.press('k');
  await page.getByTestId('offers').getByText('No suggestions here').waitFor();
  await page.waitForFunction(() => document.querySelectorAll('[data-testid=from]').length === 3);
  await shot('offers-3');
  await page.keyboard.press('Escape');
  await page.keyboard.press('Escape');
  for (let i = 0; i < 40 && sent(/marks$/).length < 1; i += 1) await page.waitForTimeout(100);
  const marks = sent(/marks$/).at(-1)?.body.marks;
  assert.deepEqual(marks.map((/** @type {any} */ mark) => [mark.suggested_by, mark.shape === 'brush']), [['inspector', false], ['inspector', false], ['inspector', false]]);
});

test('what a model hears in a sound is suggested stretch by stretch, and accepted by keys', LIMIT, async () => {
  const heard = (/** @type {number} */ start, /** @type {number} */ end, /** @type {string} */ name) => ({ mark: { class: name, shape: 'segment', start, end, suggested_by: 'hearing' }, score: null, times: null, confidence: 0.91 });
  stage.server.world.suggested['sounds-sound0'] = { model: { id: 'hearing', name: 'sounds 1' }, marks: [heard(0, 1, 'speech'), heard(1, 1.9, 'cough'), heard(1.9, 4, 'speech')] };
  // It came back from a deployment, as a part of a longer one.
  stage.server.world.found('sounds-sound0').piece = { file: 'monday.wav', start: 61.5, end: 65.5 };
  await open('/d/sounds/label');
  await page.getByTestId('current').waitFor();
  await page.keyboard.press('m');
  await page.getByTestId('offers').getByText('Suggested by the model “sounds 1”: 3').waitFor();
  await page.waitForFunction(() => (document.querySelector('[data-testid=offer]')?.getBoundingClientRect().width ?? 0) > 20);
  assert.match((await page.getByTestId('offer').nth(1).textContent()) ?? '', /cough\? 91/);
  assert.equal(await page.getByTestId('piece').textContent(), 'monday.wav, 1:01.50 – 1:05.50');
  await shot('offers-5-sound');
  await page.keyboard.press('y');
  await page.keyboard.press('x');
  await page.getByTestId('offers').getByText(': 1').waitFor();
  await page.keyboard.press('k');
  await page.waitForFunction(() => document.querySelectorAll('[data-testid=from]').length === 2);
  await shot('offers-6-sound');
  await page.keyboard.press('Control+z');
  await page.keyboard.press('Control+z');
  await page.waitForFunction(() => document.querySelectorAll('[data-testid=from]').length === 0);
  delete stage.server.world.suggested['sounds-sound0'];
  await open('/d/texts/gallery');
  await page.getByTestId('search').waitFor();
});

test('words that were marked before are suggested in a text', LIMIT, async () => {
  const again = (/** @type {number} */ start, /** @type {number} */ end, /** @type {string} */ name) => ({ mark: { class: name, shape: 'span', start, end, suggested_by: 'marks' }, score: null, times: 3 });
  stage.server.world.suggested['texts-x0'] = { model: null, marks: [again(0, 4, 'PER'), again(14, 20, 'LOC'), again(34, 40, 'ORG')] };
  await open('/d/texts/label');
  await page.getByTestId('current').waitFor();
  await page.keyboard.press('m');
  await page.getByTestId('offers').getByText('Marked before in these texts: 2').waitFor();
  await shot('offers-4-text');
  await page.keyboard.press('k');
  await page.waitForFunction(() => document.querySelectorAll('[data-testid=from]').length === 2);
  await page.keyboard.press('Control+z');
  await page.waitForFunction(() => document.querySelectorAll('[data-testid=from]').length === 0);
  await page.getByTestId('offers').getByText('Marked before in these texts: 2').waitFor();
  assert.equal(sent(/marks$/).length, 0);
  delete stage.server.world.suggested['texts-x0'];
  await open('/d/texts/gallery');
  await page.getByTestId('search').waitFor();
});

test('words of a text become spans, counted in characters', LIMIT, async () => {
  await open('/d/texts/label');
  await page.getByTestId('current').waitFor();
  await page.keyboard.press('m');
  await page.getByTestId('marking').waitFor();
  await page.keyboard.press('ArrowRight');
  await page.keyboard.press('1');
  for (let i = 0; i < 5; i += 1) await page.keyboard.press('ArrowRight');
  await shot('spans-0-selection');
  await page.keyboard.press('2');
  await page.keyboard.press('Escape');
  await page.waitForFunction(() => document.querySelectorAll('[data-testid=marks] li').length === 2);
  await shot('spans-1');
  await page.keyboard.press('Enter');
  await page.waitForTimeout(300);
  const marks = sent(/marks$/).at(-1)?.body.marks;
  const characters = [...'Anna lives in Zürich 😀 and works for Dianjing in 上海.'];
  assert.deepEqual(marks.map((/** @type {any} */ mark) => characters.slice(mark.start, mark.end).join('')), ['Anna', 'works']);
});

test('segments of a sound', LIMIT, async () => {
  await open('/d/sounds/label');
  await page.getByTestId('current').waitFor();
  await page.keyboard.press('m');
  const track = page.getByTestId('track');
  await track.waitFor();
  await page.waitForTimeout(500);
  await page.evaluate(() => document.querySelector('audio')?.pause());
  await page.keyboard.press('1');
  const box = await track.boundingBox();
  assert(box);
  await page.mouse.move(box.x + box.width * 0.25, box.y + 40);
  await page.mouse.down();
  await page.mouse.move(box.x + box.width * 0.5, box.y + 40, { steps: 5 });
  await page.mouse.up();
  await page.keyboard.press('Escape');
  for (const key of ['b', 'Shift+ArrowRight', 'e']) await page.keyboard.press(key);
  await page.waitForFunction(() => document.querySelectorAll('[data-testid=marks] li').length === 2);
  await shot('segments-1');
  await page.keyboard.press('Enter');
  await page.waitForTimeout(300);
  const marks = sent(/marks$/).at(-1)?.body.marks;
  assert(Math.abs(marks[0].start - 1) < 0.05 && Math.abs(marks[0].end - 2) < 0.05, JSON.stringify(marks));
  assert(Math.abs(marks[1].end - marks[1].start - 1) < 0.05, JSON.stringify(marks));
});
