// The label book: beside the work, in a warning, in the worklist, and on its own page; and everything on a phone.

import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { begin } from './stage.mjs';

const LIMIT = { timeout: 60_000 };
const SPLIT = '"cat" where brightness is below 0.48, "dog" from there on.';
/** @type {Awaited<ReturnType<typeof begin>>} */
let stage;
/** @type {import('playwright-core').Page} */
let page;

before(async () => {
  stage = await begin();
  page = stage.page;
  const { world } = stage.server;
  world.rules.push(world.rule('things', 1, SPLIT, ['cat', 'dog']));
  const said = (/** @type {string} */ label) => ({ label, labels: null, number: null });
  const finding = { title: 'rules in conflict', meaning: 'Labels of examples that look alike follow two rules.', about: null, given: null, suggested: null, score: 0.01, examples: [], neighbours: [], conflict: null, rule: null, decision: null };
  const examples = Array.from({ length: 12 }, (_, i) => ({ ...world.found(`things-x${i}`), label: i % 2 === 0 ? 'cat' : 'dog' }));
  world.findings.push(
    { ...finding, number: 1, fault: 'conflict', action: 'decide_rule', action_text: 'decide which label they all have, or what parts them', about: '7 of `cat` and 7 of `dog` look alike: which rule applies?', examples, conflict: { a: 'cat', b: 'dog', n: 14, split: SPLIT } },
    { ...finding, number: 2, fault: 'rule_broken', title: 'labels against the rules', action: 'relabel', action_text: 'look, then give it the suggested label', meaning: 'The label is against a rule that was decided on.', given: said('cat'), suggested: said('dog'), rule: 1, examples: examples.slice(0, 1) },
  );
});
after(() => stage.close());

test('the book opens by a key, and a note is written in place', LIMIT, async () => {
  await stage.open('/d/things/label');
  await page.getByTestId('current').waitFor();
  await page.keyboard.press('h');
  await page.getByTestId('book-panel').getByText(SPLIT).waitFor();
  const note = page.getByTestId('note').filter({ hasText: 'bird' });
  await note.getByRole('button').click();
  await page.keyboard.type('Feathers.\nNo bats.');
  await page.keyboard.press('Control+Enter');
  await note.getByText('No bats.').waitFor();
  await stage.shot('book-1-beside');
  assert.deepEqual(stage.sent(/notes/).map((call) => [call.path, call.body.text]), [['/v1/datasets/things/book/notes/bird', 'Feathers.\nNo bats.']]);
  await page.reload();
  await page.getByTestId('book-panel').getByText('No bats.').waitFor();
  await page.setViewportSize({ width: 1100, height: 820 });
  await stage.shot('book-1-narrower');
  await page.setViewportSize({ width: 1280, height: 820 });
  await page.keyboard.press('h');
  await page.getByTestId('book-panel').waitFor({ state: 'detached' });
});

test('a label against a rule is warned of, and a key takes the one the rule asks for', LIMIT, async () => {
  await stage.open('/d/things/label');
  await page.getByTestId('current').waitFor();
  await page.keyboard.press('1');
  const warning = page.getByTestId('warning');
  await warning.getByText(SPLIT).waitFor();
  await page.waitForFunction(() => [...document.images].every((image) => image.complete));
  await stage.shot('book-2-warning');
  await page.keyboard.press('Shift+Enter');
  await warning.waitFor({ state: 'detached' });
  await page.keyboard.press('1');
  await warning.waitFor();
  await page.keyboard.press('Escape');
  await warning.waitFor({ state: 'detached' });
  const given = stage.sent(/labels$/).map((call) => [call.body.example, call.body.label]);
  assert.deepEqual(given, [['things-x0', 'cat'], ['things-x0', 'dog'], ['things-x1', 'cat']]);
});

test('rules are heard where many are labelled at once, and followed by one press', LIMIT, async () => {
  await stage.open('/d/things/gallery');
  await page.getByTestId('grid').getByRole('option').first().waitFor();
  for (const at of [8, 9, 10]) await page.getByTestId('grid').getByRole('option').nth(at).click({ modifiers: ['Control'] });
  await page.keyboard.press('1');
  const against = page.getByTestId('against');
  await against.getByText(SPLIT).waitFor();
  await page.waitForFunction(() => [...document.images].every((image) => image.complete));
  await stage.shot('book-5-many');
  await page.getByTestId('follow-all').click();
  await against.waitFor({ state: 'detached' });
  const [given, followed] = stage.sent(/batch$/).map((call) => call.body.labels);
  assert(given.every((/** @type {any} */ one) => one.label === 'cat') && followed.every((/** @type {any} */ one) => one.label === 'dog'));
  assert.deepEqual([given.length, followed.length], [3, 3]);
});

test('a case is decided by its number, by a name, and taken back', LIMIT, async () => {
  await stage.open('/d/things/worklist');
  const finding = page.getByTestId('finding');
  await finding.getByTestId('choices').waitFor();
  await page.waitForFunction(() => [...document.images].every((image) => image.complete));
  await stage.shot('book-3-case');
  await page.keyboard.press('3');
  await page.locator('[data-testid=finding][data-number="2"]').waitFor();
  await page.getByTestId('rule').getByText(SPLIT).waitFor();
  await stage.shot('book-4-broken');
  await page.keyboard.press('Backspace');
  await finding.getByText('Decided by a rule').waitFor();
  await page.keyboard.press('4');
  await page.getByTestId('class-name').fill('kitten');
  await page.keyboard.press('Enter');
  await page.locator('[data-testid=finding][data-number="2"]').waitFor();
  await page.keyboard.press('Backspace');
  await page.keyboard.press('k');
  await page.waitForTimeout(200);
  const decided = stage.sent(/worklist\/1$/).map(({ body: { decision, rule, label } }) => [decision, rule, label].filter(Boolean));
  assert.deepEqual(decided, [['rule', 'split'], ['rule', 'new_class', 'kitten'], ['keep']]);
});

test('the whole book is read, taken along, and a rule is taken out', LIMIT, async () => {
  await stage.open('/d/things/book');
  const rules = page.getByTestId('rule');
  await rules.first().waitFor();
  const n = await rules.count();
  await page.waitForFunction(() => [...document.images].every((image) => image.complete));
  await stage.shot('book-5-page');
  assert.match((await page.getByTestId('book-markdown').getAttribute('href')) ?? '', /book\/export\?format=markdown&lang=en$/);
  await rules.first().getByRole('button').click();
  await page.getByRole('dialog').getByText('Labels stay as they are.').waitFor();
  await page.getByRole('button', { name: 'Take it out' }).click();
  await page.waitForFunction((left) => document.querySelectorAll('[data-testid=rule]').length === left, n - 1);
  assert.deepEqual(stage.sent(/rules/).map((call) => [call.method, call.path]), [['DELETE', `/v1/datasets/things/book/rules/${n}`]]);
});

test('in Chinese, in the dark, on a phone and on a desk', LIMIT, async () => {
  for (const [name, viewport] of /** @type {[string, import('playwright-core').ViewportSize][]} */ ([['phone', { width: 390, height: 844 }], ['desk', { width: 1280, height: 820 }]])) {
    const other = await (await stage.browser.newContext({ locale: 'zh-CN', colorScheme: 'dark', viewport, hasTouch: name === 'phone', isMobile: name === 'phone' })).newPage();
    other.on('pageerror', (error) => stage.complaints.push(error.message));
    for (const [at, ready] of [['label', 'current'], ['worklist', 'finding'], ['book', 'note']]) {
      await other.goto(`${stage.base}#/d/things/${at}`);
      await other.getByTestId(ready ?? '').first().waitFor();
      if (at === 'label') {
        await other.keyboard.press('1');
        await other.getByTestId('warning').waitFor();
        await other.keyboard.press('h');
        await other.getByTestId('book-panel').waitFor();
      }
      await other.waitForTimeout(400);
      await other.screenshot({ path: stage.fileOf(`book-zh-${name}-${at}`), fullPage: true });
      const wide = await other.evaluate(() => document.documentElement.scrollWidth - innerWidth);
      assert(wide <= 0, `${at} is ${wide} px too wide`);
    }
    await other.context().close();
  }
});
