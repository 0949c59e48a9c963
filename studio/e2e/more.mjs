// More for a data set that is there, and texts in Chinese from a table to a line in a terminal, in a real browser against a real server.
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
import { png } from './made.mjs';
import { programOf } from './program.mjs';
import { chinese } from './texts.mjs';
import { visit } from './visit.mjs';

const { BASE_URL, ENTER_KEY, OUT = new URL('./out', import.meta.url).pathname, CHROMIUM = '/usr/bin/chromium' } = process.env;
const LIMIT = { timeout: 120_000 };
const JOB_MS = 60_000;
const N_PHOTOS = 60;

/** @type {import('playwright-core').Browser} */
let browser;
/** @type {import('playwright-core').Page} */
let page;
/** @type {ReturnType<typeof programOf>} */
let program;
/** @type {string} */
let folder;
/** @type {string[]} */
const broke = [];

before(async () => {
  assert(BASE_URL && ENTER_KEY, 'set BASE_URL and ENTER_KEY');
  await mkdir(OUT, { recursive: true });
  folder = await mkdtemp(path.join(tmpdir(), 'more-'));
  await mkdir(path.join(folder, 'more', 'good'), { recursive: true });
  for (const name of ['more-1', 'more-2']) await writeFile(path.join(folder, 'more', 'good', `${name}.png`), photo(name).bytes);
  await writeFile(path.join(folder, '投诉.csv'), chinese());
  browser = await chromium.launch({ executablePath: CHROMIUM, args: ['--no-sandbox'] });
  page = await opened({ locale: 'en-GB', colorScheme: 'light' });
  await page.goto(`${BASE_URL}/#/enter/${ENTER_KEY}`);
  await page.getByTestId('drop-zone').waitFor();
  program = programOf(page.request, BASE_URL);
});

after(async () => {
  await browser?.close();
  if (folder) await rm(folder, { recursive: true, force: true });
  assert.deepEqual(broke, [], 'the browser complained');
});

const opened = (/** @type {import('playwright-core').BrowserContextOptions} */ how) => visit(browser, how, broke);
const open = (/** @type {string} */ hash) => page.goto(`${BASE_URL}/#${hash}`);
const shot = (/** @type {string} */ name) => page.screenshot({ path: path.join(OUT, `more-${name}.png`) });
const nShown = (/** @type {number} */ n) => page.getByRole('search').getByText(`${n} examples`, { exact: true }).waitFor({ timeout: JOB_MS });

let n = 0;
/** A photo like no other. @param {string} name */
function photo(name) {
  return { path: `${name}.png`, bytes: png(96, 72, false, n++) };
}

/** Lets files go on the page. @param {{ name: string, bytes: Buffer }[]} files */
async function dropped(files) {
  const given = files.map(({ name, bytes }) => ({ name, bytes: bytes.toString('base64') }));
  const dataTransfer = await page.evaluateHandle((all) => {
    const transfer = new DataTransfer();
    for (const { name, bytes } of all) transfer.items.add(new File([Uint8Array.from(atob(bytes), (one) => one.charCodeAt(0))], name));
    return transfer;
  }, given);
  await page.dispatchEvent('body', 'dragenter', { dataTransfer });
  await page.getByText('Let go to add it to').waitFor();
  await page.dispatchEvent('body', 'drop', { dataTransfer });
}

test('a second folder comes into a data set that is there, and what it brought is seen', LIMIT, async () => {
  const id = await program.bring('tiles', Array.from({ length: N_PHOTOS }, (_, i) => photo(`good/${i}`)));
  await open(`/d/${id}/gallery?q=1`);
  await page.getByTestId('add-more').click();
  await page.getByTestId('add-more-dialog').waitFor();
  await shot('1-add');
  await page.getByTestId('choose-folder').setInputFiles(path.join(folder, 'more'));
  await page.getByText('2 examples were added.').waitFor({ timeout: JOB_MS });
  await nShown(N_PHOTOS + 2);
  assert.equal((await program.get(`/v1/datasets/${id}`)).n_examples, N_PHOTOS + 2);
  // Whatever was filtered before, and however far down they stand.
  await page.getByRole('img', { name: 'more-2' }).waitFor();
  assert(await page.getByTestId('grid').evaluate((grid) => grid.scrollTop > 0 && grid.scrollTop + grid.clientHeight >= grid.scrollHeight - 40));
  await shot('2-added');

  await page.getByTestId('add-more').click();
  await page.getByTestId('choose-folder').setInputFiles(path.join(folder, 'more'));
  await page.getByText('Nothing new: all of it was here already.').waitFor({ timeout: JOB_MS });

  await dropped([{ name: 'labels.csv', bytes: Buffer.from('file,label\ndropped.png,good\ngone.png,good\n') }, { name: 'dropped.png', bytes: photo('dropped').bytes }]);
  await page.getByTestId('bring-in').getByText('gone.png').waitFor({ timeout: JOB_MS });
  await shot('3-problem');
  await page.getByRole('link', { name: 'See the examples' }).click();
  await nShown(N_PHOTOS + 3);
  await page.getByRole('dialog').waitFor({ state: 'detached' });
});

test('an empty data set is filled on its own page', LIMIT, async () => {
  const { id } = await program.post('/v1/datasets', { name: 'nothing yet' });
  await open(`/d/${id}/label`);
  await page.getByTestId('add-more').click();
  await page.getByTestId('choose-folder').setInputFiles(path.join(folder, 'more'));
  await nShown(2);
});

test('texts in Chinese go all the way, to an address that nobody has; another data set is replaced only when that is meant', LIMIT, async () => {
  const bundle = await other();
  const light = page;
  page = await opened({ locale: 'zh-CN', colorScheme: 'dark', storageState: await light.context().storageState() });
  await open('/');
  await page.getByTestId('choose-files').setInputFiles(path.join(folder, '投诉.csv'));
  await page.getByTestId('grid').getByRole('option').first().waitFor({ timeout: JOB_MS });
  await page.getByTestId('tab-models').click();
  await page.getByTestId('tune').click();
  await page.getByTestId('headline').waitFor({ timeout: JOB_MS });
  await page.getByTestId('tab-try').click();
  await page.getByTestId('try-text').fill('屏幕坏了');
  await page.keyboard.press('Control+Enter');
  await page.getByTestId('answer').getByText('屏幕').first().waitFor({ timeout: JOB_MS });
  await page.getByTestId('tab-deploy').click();
  const name = page.getByTestId('deploy-name');
  assert.equal(await name.inputValue(), 'model-2');

  await name.fill('model');
  await page.getByTestId('deploy').click();
  const asking = page.getByRole('dialog', { name: '替换另一个数据集的模型？' });
  await asking.getByText('不是由这个数据集训练的').waitFor();
  await shot('4-foreign');
  await asking.getByRole('button', { name: '取消' }).click();
  assert.equal(await at('model'), bundle);
  await name.fill('model-2');
  await page.getByTestId('deploy').click();
  await page.getByTestId('deployment').filter({ hasText: 'model-2' }).waitFor();

  await page.getByRole('button', { name: '生成令牌' }).click();
  await page.getByTestId('secret').waitFor();
  const line = await page.getByRole('region', { name: '在终端里试一下' }).textContent();
  await shot('5-deployed');
  // As it is shown, in a shell.
  const { predictions } = JSON.parse(execFileSync('bash', ['-c', `${line} --silent --show-error --fail-with-body`], { encoding: 'utf8' }));
  assert.deepEqual(predictions[0].probs.map((/** @type {any} */ one) => one.class).toSorted(), ['屏幕', '电池'].toSorted());

  await name.fill('model');
  await page.getByTestId('deploy').click();
  await asking.getByRole('button', { name: '替换原来的模型' }).click();
  await asking.waitFor({ state: 'detached' });
  assert.equal(await at('model'), await at('model-2'));
  await page.context().close();
  page = light;
});

/** A model of another data set with a Chinese name, at the address that such a name gets. */
async function other() {
  const id = await program.bring('工单', [{ path: '工单.csv', bytes: Buffer.from(chinese()) }]);
  const model = await program.tune(id, { name: '工单 1' });
  await program.deploy(model, 'model');
  return model;
}

/** The model that answers at an address. @param {string} address @returns {Promise<string>} */
async function at(address) {
  const { deployments } = await program.get('/v1/deployments');
  return deployments.find((/** @type {any} */ one) => one.name === address)?.model.id;
}
