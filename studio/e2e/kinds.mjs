// Videos, series and several senses, in a real browser against a real server. `ffmpeg` makes the videos.
//
// BASE_URL   where the server is, such as http://127.0.0.1:7878
// ENTER_KEY  the one-time key of `dianjing studio`
// OUT        where the screenshots go (default: e2e/out)
// CHROMIUM   the browser (default: /usr/bin/chromium)

import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { after, before, test } from 'node:test';
import { chromium } from 'playwright-core';

const { BASE_URL, ENTER_KEY, OUT = new URL('./out', import.meta.url).pathname, CHROMIUM = '/usr/bin/chromium' } = process.env;
const LIMIT = { timeout: 300_000 };
const JOB_MS = 240_000;

/** @type {import('playwright-core').Browser} */
let browser;
/** @type {import('playwright-core').Page} */
let page;
/** @type {string} */
let folder;
/** @type {string[]} */
const complaints = [];

before(async () => {
  assert(BASE_URL && ENTER_KEY, 'set BASE_URL and ENTER_KEY');
  await mkdir(OUT, { recursive: true });
  folder = await mkdtemp(path.join(tmpdir(), 'kinds-'));
  browser = await chromium.launch({ executablePath: CHROMIUM, args: ['--no-sandbox', '--autoplay-policy=no-user-gesture-required'] });
  page = await (await browser.newContext({ locale: 'en-GB', viewport: { width: 1280, height: 820 } })).newPage();
  page.setDefaultTimeout(30_000);
  page.on('pageerror', (error) => complaints.push(error.message));
  await page.goto(`${BASE_URL}/#/enter/${ENTER_KEY}`);
  await page.getByTestId('drop-zone').waitFor();
});

after(async () => {
  await browser?.close();
  if (folder) await rm(folder, { recursive: true, force: true });
  assert.deepEqual(complaints, [], 'the page broke');
});

const open = (/** @type {string} */ hash) => page.goto(`${BASE_URL}/#${hash}`);
const shot = (/** @type {string} */ name) => page.screenshot({ path: path.join(OUT, `kinds-${name}.png`) });

/** All pictures are there, and what moves has come to rest. */
async function seen() {
  await page.waitForFunction(() => [...document.images].every((image) => image.complete));
  await page.waitForTimeout(400);
}

/** @param {string} name @param {string | Buffer} what */
async function put(name, what) {
  const to = path.join(folder, name);
  await mkdir(path.dirname(to), { recursive: true });
  await writeFile(to, what);
}

/** @param {string} name @param {string[]} given */
async function made(name, given) {
  const to = path.join(folder, name);
  await mkdir(path.dirname(to), { recursive: true });
  execFileSync('ffmpeg', ['-nostdin', '-v', 'error', '-y', ...given, to]);
}

/** A square that crosses from one side to the other, with a tone. @param {string} name @param {boolean} right @param {number} n @param {string[]} more */
function crossing(name, right, n, more = []) {
  const x = right ? '4+56*t' : '124-56*t';
  const scene = `color=c=0xdddddd:s=160x120:r=10:d=2[g];color=c=0x2040c0:s=28x28:r=10:d=2[s];[g][s]overlay=x=${x}:y=${5 + 9 * n}`;
  return made(name, ['-f', 'lavfi', '-i', scene, '-f', 'lavfi', '-i', 'sine=d=2', '-pix_fmt', 'yuv420p', '-shortest', ...more]);
}

/** @param {boolean} fast @param {number} n */
function trace(fast, n) {
  const rows = Array.from({ length: 400 }, (_, step) => {
    const noise = ((step * 37 + n * 101) % 97) / 97 - 0.5;
    return `${(step * 0.01).toFixed(2)},${(Math.sin(step * (fast ? 0.5 : 0.15) + n) + 0.4 * noise).toFixed(4)},${(20 + step * 0.01 + noise * 0.3).toFixed(3)},${step === 250 ? 9 : (2 + noise).toFixed(3)}`;
  });
  return `time,vibration,temperature,force\n${rows.join('\n')}\n`;
}

/** @param {string} dirty @param {number} n @param {string} name */
const photo = (dirty, n, name) => made(name, ['-f', 'lavfi', '-i', `color=c=${dirty}:s=64x64:d=1,noise=alls=${20 + n}`, '-frames:v', '1']);

/** Brings something in on the first page; its id. @param {string} what */
async function broughtIn(what) {
  await open('/');
  await page.getByTestId('choose-folder').setInputFiles(path.join(folder, what));
  await page.waitForURL(/#\/d\/[^/]+\/gallery/, { timeout: JOB_MS });
  await page.getByTestId('grid').getByRole('option').first().waitFor();
  return /#\/d\/([^/]+)/.exec(page.url())?.[1] ?? '';
}

/** Tunes a model on the page and goes on to trying it. @param {string} id */
async function tuned(id) {
  await open(`/d/${id}/models`);
  await page.getByTestId('tune').click();
  // The page goes on to the model by itself.
  await page.getByTestId('headline').waitFor({ timeout: JOB_MS });
  await open(`/d/${id}/try`);
}

/** The same page in Chinese, dark, and on a phone. @param {string} name */
async function otherwise(name) {
  const state = await page.context().storageState();
  const url = page.url();
  for (const [suffix, how] of /** @type {const} */ ([['zh-dark', { locale: 'zh-CN', colorScheme: 'dark', viewport: { width: 1280, height: 820 } }], ['phone', { locale: 'en-GB', viewport: { width: 390, height: 780 } }]])) {
    const other = await (await browser.newContext({ ...how, storageState: state })).newPage();
    other.on('pageerror', (error) => complaints.push(error.message));
    await other.goto(url);
    await other.waitForLoadState('networkidle').catch(() => {});
    await other.waitForTimeout(1500);
    await other.screenshot({ path: path.join(OUT, `kinds-${name}-${suffix}.png`) });
    const wide = await other.evaluate(() => document.documentElement.scrollWidth > document.documentElement.clientWidth);
    assert.equal(wide, false, `${name} ${suffix} fits the width`);
    await other.context().close();
  }
}

test('videos are played, labelled, tuned and tried', LIMIT, async () => {
  for (let n = 0; n < 6; n += 1) {
    await crossing(`clips/right/${n}.${n === 5 ? 'avi' : 'mp4'}`, true, n);
    await crossing(`clips/left/${n}.webm`, false, n, ['-c:v', 'libvpx', '-c:a', 'libopus']);
  }
  await crossing('clips/unlabelled/new.webm', true, 8, ['-c:v', 'libvpx', '-c:a', 'libopus']);
  await crossing('clips/unlabelled/other.avi', false, 8);
  await crossing('try.webm', false, 9, ['-c:v', 'libvpx', '-c:a', 'libopus']);
  const id = await broughtIn('clips');
  await seen();
  await shot('video-1-gallery');
  await open(`/d/${id}/label`);
  await page.getByTestId('video').waitFor();
  await page.getByTestId('strip').waitFor();
  await seen();
  await shot('video-2-label');
  await otherwise('video-label');
  for (let left = 2; left > 0; left -= 1) {
    const example = await page.getByTestId('current').getAttribute('data-example');
    if (await page.locator('video').count()) {
      await page.waitForFunction(() => (document.querySelector('video')?.readyState ?? 0) >= 2);
      assert.ok((await page.evaluate(() => document.querySelector('video')?.duration ?? 0)) > 1.5, 'its length is known');
    } else {
      await page.getByText('cannot play').waitFor();
      await shot('video-3-frames');
    }
    await page.keyboard.press('1');
    await page.waitForFunction((was) => document.querySelector('[data-testid=current]')?.getAttribute('data-example') !== was, example);
  }
  await tuned(id);
  await page.getByTestId('try-file').setInputFiles(path.join(folder, 'try.webm'));
  await page.getByTestId('answer').waitFor({ timeout: JOB_MS });
  await page.waitForTimeout(600);
  await shot('video-4-try');
});

test('series are drawn, labelled, tuned and tried', LIMIT, async () => {
  for (let n = 0; n < 8; n += 1) {
    await put(`machine/fast/${n}.csv`, trace(true, n));
    await put(`machine/slow/${n}.csv`, trace(false, n));
  }
  await put('machine/unlabelled/new.csv', trace(true, 30));
  await put('try.csv', trace(false, 31));
  const id = await broughtIn('machine');
  await seen();
  await shot('series-1-gallery');
  await open(`/d/${id}/label`);
  await page.getByTestId('series').waitFor();
  assert.equal(await page.getByTestId('series').locator('svg').count(), 3);
  await shot('series-2-label');
  await otherwise('series-label');
  await tuned(id);
  await page.getByTestId('try-file').setInputFiles(path.join(folder, 'try.csv'));
  await page.getByTestId('answer').waitFor({ timeout: JOB_MS });
  await page.waitForTimeout(600);
  assert.match(await page.getByTestId('answer').innerText(), /slow/);
  await shot('series-3-try');
});

test('several senses are shown together, and an answer tells on which it rests', LIMIT, async () => {
  const rows = [];
  for (let n = 0; n < 24; n += 1) {
    const [dirty, slow] = [Math.floor(n / 2) % 2 === 1, n % 2 === 1];
    await photo(dirty ? '0x46321e' : '0x9696d2', n, `parts/photos/${n}.png`);
    await put(`parts/traces/${n}.csv`, trace(!slow, n));
    const note = ['looks as always', 'a customer called about it', 'checked on the round'][n % 3];
    rows.push({ photo: `photos/${n}.png`, trace: n === 4 ? undefined : `traces/${n}.csv`, note, label: n < 22 ? `${dirty ? 'dirty' : 'clean'} ${slow ? 'slow' : 'fast'}` : undefined });
  }
  await put('parts/parts.jsonl', rows.map((row) => `${JSON.stringify(row)}\n`).join(''));
  await photo('0x46321e', 60, 'try.png');
  const id = await broughtIn('parts');
  await seen();
  await shot('senses-1-gallery');
  await page.getByTestId('grid').getByRole('option').nth(4).click();
  await page.getByTestId('sense-trace').waitFor();
  await seen();
  await shot('senses-2-missing');
  await open(`/d/${id}/label`);
  await page.getByTestId('sense-note').waitFor();
  await page.getByTestId('series').waitFor();
  await seen();
  await shot('senses-3-label');
  await otherwise('senses-label');
  await tuned(id);
  await page.getByTestId('try-photo').setInputFiles(path.join(folder, 'try.png'));
  await page.getByTestId('try-trace').setInputFiles(path.join(folder, 'try.csv'));
  await shot('senses-4-asked');
  await page.getByRole('button', { name: 'What is it?' }).click();
  await page.getByTestId('relied').waitFor({ timeout: JOB_MS });
  await page.waitForTimeout(600);
  await shot('senses-5-try');
  await otherwise('senses-try');
});
