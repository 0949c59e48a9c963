// Logging in by way of a provider of OpenID Connect that somebody else wrote (provider.mjs), at a real server.
//
// PROGRAM    the path of `dianjing`

import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { createServer } from 'node:net';
import { createInterface } from 'node:readline';
import { after, before, test } from 'node:test';
import { chromium } from 'playwright-core';
import { servingTeam } from './serving.mjs';

const { PROGRAM = '', CHROMIUM = '/usr/bin/chromium' } = process.env;
const LIMIT = { timeout: 120_000 };
/** What a header must not hold as it is. */
const SECRET = 'a secret: 100% of "us" + you/me';
const PASSWORD = 'a long password';

/** @type {import('playwright-core').Browser} */
let browser;
/** @type {string} */
let issuer;

before(async () => {
  assert(PROGRAM, 'set PROGRAM');
  browser = await chromium.launch({ executablePath: CHROMIUM, args: ['--no-sandbox'] });
  issuer = `http://localhost:${await freePort()}`;
});
after(() => browser?.close());

/** @returns {Promise<number>} */
function freePort() {
  return new Promise((resolve, reject) => {
    const server = createServer().on('error', reject);
    server.listen(0, 'localhost', () => {
      const address = server.address();
      server.close(() => resolve(address && typeof address === 'object' ? address.port : 0));
    });
  });
}

/**
 * A server that knows the provider and to which an owner has invited Ben, by his e-mail.
 * @param {(base: string) => Promise<void>} run
 */
function invited(run) {
  const more = ['--oidc-issuer', issuer, '--oidc-client-id', 'dianjing', '--oidc-name', 'Works'];
  return servingTeam(PROGRAM, more, { DIANJING_OIDC_SECRET: SECRET, LANG: 'en_GB.UTF-8' }, async (base, key) => {
    /** @param {string} path @param {object} body @param {string} [cookie] */
    const post = (path, body, cookie = '') =>
      fetch(base + path, { method: 'POST', headers: { 'content-type': 'application/json', 'x-dianjing': '1', cookie }, body: JSON.stringify(body) });
    const owner = await post('/v1/setup', { key, tenant: 'Works', name: 'ann', password: PASSWORD });
    const cookie = (owner.headers.get('set-cookie') ?? '').split(';')[0];
    assert.equal((await post('/v1/people', { name: 'Ben', email: 'ben@example.com', role: 'editor' }, cookie)).status, 200);
    await run(base);
  });
}

/**
 * With the provider, set up otherwise for this once.
 * @param {string} base
 * @param {Record<string, string | undefined>} variables
 * @param {() => Promise<void>} run
 */
async function provided(base, variables, run) {
  const person = JSON.stringify({ email: 'ben@example.com', email_verified: true });
  const env = { ...process.env, ISSUER: issuer, BACK: `${base}/v1/oidc/back`, SECRET, PERSON: person, NODE_ENV: 'test', ...variables };
  const provider = spawn(process.execPath, [new URL('./provider.mjs', import.meta.url).pathname], { env, stdio: ['ignore', 'pipe', 'pipe'] });
  const closed = new Promise((resolve) => provider.on('close', resolve));
  let said = '';
  provider.stderr.on('data', (bytes) => (said += bytes));
  try {
    const opened = new Promise((resolve) => createInterface({ input: provider.stdout }).on('line', (line) => line === 'open' && resolve(true)));
    assert(await Promise.race([opened, closed.then(() => false)]), `the provider did not open: ${said}`);
    await run();
  } finally {
    provider.kill();
    await closed;
  }
}

/** A browser of its own. */
async function visitor() {
  const context = await browser.newContext({ locale: 'en-GB' });
  const page = await context.newPage();
  page.setDefaultTimeout(20_000);
  return { page, leave: () => context.close() };
}

/**
 * Through the door to the provider.
 * @param {import('playwright-core').Page} page
 * @param {string} base
 */
async function goTo(page, base) {
  await page.goto(base);
  await page.getByTestId('provider').click();
}

/** @param {import('playwright-core').Page} page */
async function whoIsIn(page) {
  return page.evaluate(async () => {
    const told = await fetch('/v1/session');
    return told.ok ? (await told.json()).person.name : null;
  });
}

/**
 * Who comes in by the provider, in a browser that was never there.
 * @param {string} base
 */
async function comesIn(base) {
  const { page, leave } = await visitor();
  await goTo(page, base);
  await page.getByRole('button', { name: 'Come in' }).click();
  await page.waitForURL(`${base}/**`);
  await page.getByTestId('drop-zone').waitFor();
  const name = await whoIsIn(page);
  await leave();
  return name;
}

/**
 * Somebody is told why not, and nobody is in.
 * @param {string} base
 * @param {string} why
 * @param {string} [button] what is pressed at the provider
 */
async function staysOut(base, why, button = 'Come in') {
  const { page, leave } = await visitor();
  await goTo(page, base);
  if (button) await page.getByRole('button', { name: button }).click();
  await page.getByRole('alert').getByText(why, { exact: false }).waitFor();
  assert.equal(new URL(page.url()).origin, base);
  assert.equal(await whoIsIn(page), null);
  await leave();
}

const UNPROVEN = 'does not prove who you are';

test('who was invited comes in, with a proof that only this browser can give', LIMIT, () =>
  invited((base) =>
    provided(base, {}, async () => {
      const { page, leave } = await visitor();
      const asked = page.waitForRequest((request) => request.url().startsWith(`${issuer}/auth?`));
      await goTo(page, base);
      const question = new URL((await asked).url()).searchParams;
      assert.equal(question.get('response_type'), 'code');
      assert.equal(question.get('code_challenge_method'), 'S256');
      for (const name of ['state', 'nonce', 'code_challenge']) assert((question.get(name) ?? '').length >= 22, name);
      const back = page.waitForRequest((request) => request.url().startsWith(`${base}/v1/oidc/back?`));
      await page.getByRole('button', { name: 'Come in' }).click();
      await page.getByTestId('drop-zone').waitFor();
      assert.equal(await whoIsIn(page), 'Ben');
      // The same answer serves nobody else, and not twice.
      const used = (await back).url();
      assert.equal((await page.request.get(used, { maxRedirects: 0 })).headers().location, '/#/refused/login_lost');
      const other = await visitor();
      await other.page.goto(used);
      await other.page.getByRole('alert').getByText('was not begun in this browser', { exact: false }).waitFor();
      assert.equal(await whoIsIn(other.page), null);
      await other.leave();
      await leave();
    }),
  ),
);

test('who may not, or does not want to, hears why', LIMIT, () =>
  invited(async (base) => {
    await provided(base, {}, () => staysOut(base, 'The log-in was declined', 'No'));
    await provided(base, { PERSON: JSON.stringify({ email: 'ben@example.com', email_verified: false }) }, () => staysOut(base, 'no verified e-mail'));
    await provided(base, { PERSON: JSON.stringify({ email: 'eve@example.com', email_verified: true }) }, () => staysOut(base, 'Nobody with your e-mail'));
  }),
);

test('a provider that comes back with other keys is believed at once, whatever they are called', LIMIT, () =>
  invited(async (base) => {
    for (const keys of [{}, {}, { KID: 'one' }, { KID: 'one' }, { KEY: 'ES256' }, { KEY: 'ES256', KID: 'one' }]) {
      await provided(base, keys, async () => assert.equal(await comesIn(base), 'Ben', JSON.stringify(keys)));
    }
  }),
);

test('the server says who it is in whichever way the provider takes', LIMIT, () =>
  invited(async (base) => {
    await provided(base, { AUTH: 'client_secret_basic' }, async () => assert.equal(await comesIn(base), 'Ben'));
  }).then(() =>
    invited(async (base) => {
      await provided(base, { AUTH: 'client_secret_post' }, async () => assert.equal(await comesIn(base), 'Ben'));
    }),
  ),
);

test('a token that is for others, of another log-in or of another time is refused, though the provider signed it', LIMIT, () =>
  invited(async (base) => {
    const hour = 3600;
    for (const [what, variables] of Object.entries({
      'another audience': { SAYS: JSON.stringify({ aud: 'another-client' }) },
      'several audiences': { SAYS: JSON.stringify({ aud: ['dianjing', 'another-client'] }) },
      'another issuer': { SAYS: JSON.stringify({ iss: 'https://elsewhere.example' }) },
      'another log-in': { SAYS: JSON.stringify({ nonce: 'another' }) },
      'ended long ago': { SAYS: JSON.stringify({ exp: Math.floor(Date.now() / 1000) - hour }) },
      'a clock that is hours behind': { CLOCK: String(-2 * hour) },
      'a clock that is hours ahead': { CLOCK: String(2 * hour) },
    })) {
      await provided(base, variables, () => staysOut(base, UNPROVEN)).catch((cause) => {
        throw new Error(what, { cause });
      });
    }
    // Nothing of that keeps out who comes with a right one.
    await provided(base, { SAYS: JSON.stringify({ aud: ['dianjing'] }) }, async () => assert.equal(await comesIn(base), 'Ben'));
  }),
);

test('a provider that is away lets nobody in, and everybody again when it is back', LIMIT, () =>
  invited(async (base) => {
    await staysOut(base, 'does not answer', '');
    await provided(base, {}, async () => assert.equal(await comesIn(base), 'Ben'));
  }),
);
