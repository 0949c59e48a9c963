// Photos for the tests, without their labels.

import assert from 'node:assert/strict';
import { copyFile, mkdir, readdir } from 'node:fs/promises';
import path from 'node:path';

/**
 * Copies photos out of the first folders of `data` into one folder. The name of a photo says what it is, to the test
 * and not to the server: `hat--x.jpg`.
 * @param {string} data
 * @param {string} into
 * @param {{ classes: number, perClass: number }} wanted
 * @returns {Promise<{ classes: string[], heldOut: string }>} `heldOut` is a photo that was not copied.
 */
export async function copyPhotos(data, into, wanted) {
  await mkdir(into, { recursive: true });
  const found = (await readdir(data, { withFileTypes: true })).filter((one) => one.isDirectory()).map((one) => one.name);
  const classes = found.sort().slice(0, wanted.classes);
  assert.equal(classes.length, wanted.classes, `${data} needs ${wanted.classes} folders of photos`);
  let heldOut = '';
  for (const name of classes) {
    const files = (await readdir(path.join(data, name))).filter((file) => /\.(jpe?g|png)$/i.test(file)).sort();
    for (const file of files.slice(0, wanted.perClass)) await copyFile(path.join(data, name, file), path.join(into, `${name}--${file}`));
    heldOut = path.join(data, name, files[wanted.perClass] ?? files[0] ?? '');
  }
  return { classes, heldOut };
}

/** What a photo of `copyPhotos` is, by its name. @param {string} name */
export function truthOf(name) {
  return path.basename(name).split('--')[0] ?? '';
}

/**
 * Copies photos of good parts and of defects of one kind into a folder for each.
 * @param {string} data with `train/good` and `test/KIND`
 * @param {string} into
 * @param {{ kind: string, nGood: number, nDefects: number }} wanted
 * @returns {Promise<{ good: string, defect: string }>} photos that were not copied.
 */
export async function copyParts(data, into, { kind, nGood, nDefects }) {
  const copied = async (/** @type {string} */ from, /** @type {string} */ name, /** @type {number} */ n, last = false) => {
    const files = (await readdir(from)).filter((file) => /\.(jpe?g|png)$/i.test(file)).sort();
    assert(files.length > n, `${from} needs more than ${n} photos`);
    await mkdir(path.join(into, name), { recursive: true });
    for (const file of files.slice(0, n)) await copyFile(path.join(from, file), path.join(into, name, file));
    return path.join(from, files[last ? files.length - 1 : n] ?? '');
  };
  return { good: await copied(path.join(data, 'train', 'good'), 'good', nGood), defect: await copied(path.join(data, 'test', kind), kind, nDefects, true) };
}
