// A studio on an empty folder, for as long as something is done with it.

import { spawn } from 'node:child_process';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { createInterface } from 'node:readline';

/**
 * @template T
 * @param {string} program the path of `dianjing`
 * @param {(base: string, key: string) => Promise<T>} run is told where the server is, and the key that lets in once
 */
export async function serving(program, run) {
  const dir = await mkdtemp(path.join(tmpdir(), 'studio-'));
  const studio = spawn(program, ['studio', '--dir', dir, '--port', '0', '--no-open', '--quiet'], { stdio: ['ignore', 'pipe', 'inherit'] });
  const closed = new Promise((resolve) => studio.on('close', resolve));
  try {
    const address = await firstLine(studio.stdout);
    if (!address) throw new Error('the studio did not open');
    const [base = '', key = ''] = address.split('/#/enter/');
    return await run(base, key);
  } finally {
    studio.kill('SIGINT');
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
