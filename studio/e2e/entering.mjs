// The door with a provider of log-ins, why somebody is not in, and what the settings say about accounts and room.

import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { begin } from './stage.mjs';

const LIMIT = { timeout: 60_000 };
/** @type {Awaited<ReturnType<typeof begin>>} */
let stage;

before(async () => {
  stage = await begin();
});
after(() => stage.close());

/**
 * A page of a team's server with a provider; `me` is who is in, or nobody.
 * @param {object | null} me
 * @param {import('playwright-core').BrowserContextOptions} [look]
 */
async function visit(me, look = { locale: 'en-GB' }) {
  const page = await (await stage.browser.newContext({ viewport: { width: 1100, height: 800 }, ...look })).newPage();
  page.setDefaultTimeout(10_000);
  page.on('pageerror', (error) => stage.complaints.push(error.message));
  const person = { id: 'p', name: 'ann', role: 'owner', email: null, has_password: true, linked: false, ...me };
  /** @type {Record<string, any>} */
  const answers = {
    '/v1/status': { way: 'team', needs_setup: false, version: '0', provider: 'Works' },
    '/v1/session': me && { person, tenant: { id: 't', name: 'Works' } },
    '/v1/usage': { examples: { used: 8123, allowed: 10_000 }, bytes: { used: 1_530_000_000, allowed: null } },
    '/v1/people': { people: [{ ...person, created_at: '2026-11-26T12:00:00Z' }, { id: 'q', name: 'Ben', role: 'viewer', email: 'ben@example.com', created_at: '2026-11-26T12:00:00Z' }] },
    '/v1/tokens': { tokens: [] },
    '/v1/oidc/link': { address: `${stage.base}#/at-the-provider` },
  };
  /** @type {any[]} */
  const sent = [];
  await page.route('**/v1/**', (route) => {
    const request = route.request();
    const path = new URL(request.url()).pathname;
    if (request.method() !== 'GET') sent.push({ path, body: request.postDataJSON() });
    const answer = request.method() === 'POST' && path === '/v1/people' ? { id: 'r' } : answers[path];
    return answer ? route.fulfill({ json: answer }) : route.fulfill({ status: 401, json: { code: 'unauthenticated', message: '', hint: null, request_id: 'r' } });
  });
  return { page, sent };
}

test('the door leads to the provider, and says why somebody is not in', LIMIT, async () => {
  const { page } = await visit(null);
  await page.goto(stage.base);
  const button = page.getByTestId('provider');
  assert.equal((await button.textContent())?.trim(), 'Log in with Works');
  assert.equal(await button.getAttribute('href'), '/v1/oidc/start');
  await page.screenshot({ path: stage.fileOf('entering-1-door') });
  await page.goto(`${stage.base}#/refused/login_unknown`);
  await page.getByRole('alert').getByText('Ask an owner to add you').waitFor();
  await page.screenshot({ path: stage.fileOf('entering-2-refused') });
  await page.goto(`${stage.base}#/refused/something_new`);
  await page.getByRole('alert').getByText('Please begin again').waitFor();
});

test('an account is linked with the password; people are let in by e-mail', LIMIT, async () => {
  const { page, sent } = await visit({});
  await page.goto(`${stage.base}#/settings`);
  await page.getByText('8,123 of 10,000').waitFor();
  await page.getByText('1.5 GB, no limit').waitFor();
  await page.screenshot({ path: stage.fileOf('entering-3-settings'), fullPage: true });
  await page.getByRole('button', { name: 'Add a person' }).click();
  const dialog = page.getByRole('dialog');
  await dialog.getByLabel('Name').fill('Cleo');
  await dialog.getByRole('textbox', { name: /^E-mail/ }).fill('cleo@example.com');
  await page.screenshot({ path: stage.fileOf('entering-4-person') });
  await dialog.getByRole('button', { name: 'Add a person' }).click();
  await dialog.waitFor({ state: 'hidden' });
  await page.getByLabel('Your password here').fill('a long password');
  await page.getByRole('button', { name: 'Link an account' }).click();
  await page.waitForURL(/at-the-provider/);
  assert.deepEqual(sent, [
    { path: '/v1/people', body: { name: 'Cleo', role: 'labeller', email: 'cleo@example.com' } },
    { path: '/v1/oidc/link', body: { password: 'a long password' } },
  ]);
});

test('who has no password is asked for none; a refused link is told', LIMIT, async () => {
  const { page } = await visit({ has_password: false, linked: true, email: 'ann@example.com' });
  await page.goto(`${stage.base}#/settings`);
  await page.getByText('You come in with your account at Works. (ann@example.com)').waitFor();
  assert.equal(await page.getByText('Change the password').count(), 0);
  await page.goto(`${stage.base}#/refused/login_taken`);
  await page.getByText('This account belongs to somebody else here').waitFor();
});

test('in Chinese, in the dark, on a phone', LIMIT, async () => {
  const look = { locale: 'zh-CN', colorScheme: /** @type {const} */ ('dark'), viewport: { width: 390, height: 844 }, isMobile: true };
  const door = await visit(null, look);
  await door.page.goto(`${stage.base}#/refused/login_unverified`);
  await door.page.getByText('使用 Works 登录').waitFor();
  await door.page.screenshot({ path: stage.fileOf('entering-5-door-zh') });
  const inside = await visit({ linked: true }, look);
  await inside.page.goto(`${stage.base}#/settings`);
  await inside.page.getByText('8,123 / 10,000').waitFor();
  const wide = await inside.page.evaluate(() => document.documentElement.scrollWidth > document.documentElement.clientWidth);
  assert.equal(wide, false, 'nothing sticks out');
  await inside.page.screenshot({ path: stage.fileOf('entering-6-settings-zh'), fullPage: true });
});
