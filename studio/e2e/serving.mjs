// A server on an empty folder, for as long as something is done with it.

import { spawn } from 'node:child_process';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { createInterface } from 'node:readline';

/**
 * @template T
 * @param {string} program the path of `dianjing`
 * @param {(base: string, key: string) => Promise<T>} run is told where the studio is, and the key that lets in once
 * @param {string[]} more arguments
 */
export function serving(program, run, more = []) {
  return opened(program, ['studio', '--port', '0', '--no-open', '--quiet', ...more], {}, async ({ stdout, stderr }) => {
    stderr.pipe(process.stderr);
    const address = await firstLine(stdout);
    if (!address) throw new Error('the studio did not open');
    const [base = '', key = ''] = address.split('/#/enter/');
    return run(base, key);
  });
}

/**
 * The same for a team: `key` sets it up.
 * @template T
 * @param {string} program
 * @param {string[]} more arguments
 * @param {Record<string, string>} variables
 * @param {(base: string, key: string) => Promise<T>} run
 */
export function servingTeam(program, more, variables, run) {
  return opened(program, ['serve', '--listen', '127.0.0.1:0', ...more], variables, async ({ stdout, stderr }) => {
    const key = keyIn(stderr);
    const base = await firstLine(stdout);
    if (!base) throw new Error('the server did not open');
    return run(base.replace(/\/$/, ''), await key);
  });
}

/**
 * @template T
 * @param {string} program
 * @param {string[]} given
 * @param {Record<string, string>} variables
 * @param {(server: import('node:child_process').ChildProcessByStdio<null, import('node:stream').Readable, import('node:stream').Readable>) => Promise<T>} run
 */
async function opened(program, given, variables, run) {
  const dir = await mkdtemp(path.join(tmpdir(), 'studio-'));
  const server = spawn(program, [...given, '--dir', dir], { stdio: ['ignore', 'pipe', 'pipe'], env: { ...process.env, ...variables } });
  const closed = new Promise((resolve) => server.on('close', resolve));
  try {
    return await run(server);
  } finally {
    server.kill('SIGINT');
    await closed;
    await rm(dir, { recursive: true, force: true });
  }
}

/**
 * The address with its key is the first thing that the studio says.
 * @param {import('node:stream').Readable} stream
 */
async function firstLine(stream) {
  for await (const line of createInterface({ input: stream })) return line;
  return null;
}

/**
 * What sets a team's server up; what else it says is passed on.
 * @param {import('node:stream').Readable} stream
 * @returns {Promise<string>}
 */
function keyIn(stream) {
  return new Promise((resolve, reject) => {
    const lines = createInterface({ input: stream });
    lines.on('line', (line) => {
      const key = /with this key: (\S+)/.exec(line)?.[1];
      if (key) resolve(key);
      else process.stderr.write(`${line}\n`);
    });
    lines.on('close', () => reject(new Error('the server told no key')));
  });
}
