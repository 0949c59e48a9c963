// Opens a studio on an empty folder for each file of tests, runs them against it, closes it.
//
// node e2e/run.mjs PATH/TO/dianjing FOLDER_OF_PHOTOS [story|parts|faults|kinds|marks|looks|watching|entering|book|history]
// `story` is story.mjs and parts.mjs. The others but faults.mjs and kinds.mjs bring a server of their own (mock.mjs).
//
// PARTS      photos of good parts and defects (default: those beside the repository)

import { spawn } from 'node:child_process';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { createInterface } from 'node:readline';

const [program, data, only] = process.argv.slice(2);
if (!program || !data) throw new Error('usage: node e2e/run.mjs PATH/TO/dianjing FOLDER_OF_PHOTOS [story|parts|faults|kinds|marks|looks|watching|entering|book|history]');
const { PARTS = new URL('../../../shared/data/defect/magnetic_tile', import.meta.url).pathname } = process.env;

let failed = false;
for (const name of ['faults', 'story', 'parts', 'kinds']) {
  if (only === undefined || only === name || (only === 'story' && name === 'parts')) failed = !(await passes(program, data, name)) || failed;
}
for (const name of ['marks', 'looks', 'watching', 'entering', 'book', 'history']) {
  if (only === undefined || only === name) failed = !(await tested(name, {})) || failed;
}
process.exit(failed ? 1 : 0);

/**
 * @param {string} program
 * @param {string} data
 * @param {string} name
 */
async function passes(program, data, name) {
  const dir = await mkdtemp(path.join(tmpdir(), 'studio-'));
  const studio = spawn(program, ['studio', '--dir', dir, '--port', '0', '--no-open', '--quiet'], { stdio: ['ignore', 'pipe', 'inherit'] });
  const closed = new Promise((resolve) => studio.on('close', resolve));
  try {
    const address = await firstLine(studio.stdout);
    if (!address) throw new Error('the studio did not open');
    const [BASE_URL, ENTER_KEY] = address.split('/#/enter/');
    return await tested(name, { BASE_URL, ENTER_KEY, DATA: path.resolve(data), PARTS });
  } finally {
    studio.kill('SIGINT');
    await closed;
    await rm(dir, { recursive: true, force: true });
  }
}

/**
 * @param {string} name
 * @param {Record<string, string | undefined>} variables
 */
async function tested(name, variables) {
  const file = new URL(`./${name}.mjs`, import.meta.url).pathname;
  const tests = spawn(process.execPath, ['--test', file], { stdio: 'inherit', env: { ...process.env, ...variables } });
  return (await new Promise((resolve) => tests.on('close', resolve))) === 0;
}

/**
 * The address with its key is the first thing that the studio says.
 * @param {import('node:stream').Readable} stream
 */
async function firstLine(stream) {
  for await (const line of createInterface({ input: stream })) return line;
  return null;
}
