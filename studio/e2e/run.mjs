// Opens a studio on an empty folder for each file of tests, runs them against it, closes it.
//
// node e2e/run.mjs PATH/TO/dianjing FOLDER_OF_PHOTOS [story|parts|more|axe|faults|kinds|login|phone|marks|looks|watching|entering|book|history|together|team]
// `story` is story.mjs, parts.mjs, more.mjs, axe.mjs, login.mjs and phone.mjs. `login`, `phone` and `together` open their servers themselves; the others after kinds.mjs bring one that
// only remembers (mock.mjs). `team` is story.mjs at a team's server, on the database and the store that DIANJING_DATABASE and DIANJING_STORE name.
//
// PARTS      photos of good parts and defects (default: those beside the repository)

import { spawn } from 'node:child_process';
import path from 'node:path';
import { serving, servingTeam } from './serving.mjs';

const [program, data, only] = process.argv.slice(2);
if (!program || !data) throw new Error('usage: node e2e/run.mjs PATH/TO/dianjing FOLDER_OF_PHOTOS [story|parts|more|axe|faults|kinds|login|phone|marks|looks|watching|entering|book|history|together|team]');
const { PARTS = new URL('../../../shared/data/defect/magnetic_tile', import.meta.url).pathname } = process.env;

let failed = false;
for (const name of ['faults', 'story', 'parts', 'more', 'axe', 'kinds']) {
  if (only === undefined || only === name || (only === 'story' && ['parts', 'more', 'axe'].includes(name))) failed = !(await passes(program, data, name)) || failed;
}
for (const name of ['login', 'phone']) {
  if (only === undefined || only === name || only === 'story') failed = !(await tested(name, { PROGRAM: path.resolve(program) })) || failed;
}
for (const name of ['marks', 'looks', 'watching', 'entering', 'book', 'history']) {
  if (only === undefined || only === name) failed = !(await tested(name, {})) || failed;
}
if (only === undefined || only === 'together') failed = !(await tested('together', { DIANJING: program })) || failed;
if (only === undefined || only === 'team') {
  const run = (/** @type {string} */ BASE_URL, /** @type {string} */ ENTER_KEY) => tested('story', { BASE_URL, ENTER_KEY, DATA: path.resolve(data) });
  failed = !(await servingTeam(program, [], {}, run)) || failed;
}
process.exit(failed ? 1 : 0);

/** @param {string} program @param {string} data @param {string} name */
function passes(program, data, name) {
  return serving(program, (BASE_URL, ENTER_KEY) => tested(name, { BASE_URL, ENTER_KEY, DATA: path.resolve(data), PARTS }));
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
