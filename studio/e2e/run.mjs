// Opens a studio on an empty folder, runs the story against it, closes it.
//
// node e2e/run.mjs PATH/TO/dianjing FOLDER_OF_PHOTOS

import { spawn } from 'node:child_process';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { createInterface } from 'node:readline';

const [program, data] = process.argv.slice(2);
if (!program || !data) throw new Error('usage: node e2e/run.mjs PATH/TO/dianjing FOLDER_OF_PHOTOS');

const dir = await mkdtemp(path.join(tmpdir(), 'studio-'));
const studio = spawn(program, ['studio', '--dir', dir, '--port', '0', '--no-open', '--quiet'], { stdio: ['ignore', 'pipe', 'inherit'] });
const line = await firstLine(studio.stdout);
if (!line) throw new Error('the studio did not open');
const [BASE_URL, ENTER_KEY] = line.split('/#/enter/');
const story = new URL('./story.mjs', import.meta.url).pathname;
const tests = spawn(process.execPath, ['--test', story], { stdio: 'inherit', env: { ...process.env, BASE_URL, ENTER_KEY, DATA: path.resolve(data) } });
const code = await new Promise((resolve) => tests.on('close', resolve));
const closed = new Promise((resolve) => studio.on('close', resolve));
studio.kill('SIGINT');
await closed;
await rm(dir, { recursive: true, force: true });
process.exit(code);

/** The address with its key is the first thing that the studio says. */
async function firstLine(stream) {
  for await (const line of createInterface({ input: stream })) return line;
  return null;
}
