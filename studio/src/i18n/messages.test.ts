import { expect, test } from 'vitest';
import { en } from './en';
import { fill } from './fill';
import { preferred } from './language';
import { zh } from './zh';

/** The source of the server's jobs. */
const jobs = Object.values(import.meta.glob<string>('../../../crates/server/src/jobs/*.rs', { query: '?raw', import: 'default', eager: true })).join('\n');

function names(text: string): string[] {
  return [...new Set([...text.matchAll(/\{(\w+)/g)].map((match) => match[1] ?? ''))].sort();
}

test('both languages have the same keys', () => expect(Object.keys(zh)).toEqual(Object.keys(en)));

test('every message needs the same values in both languages', () => {
  for (const key of Object.keys(en) as (keyof typeof en)[]) expect([key, names(zh[key])]).toEqual([key, names(en[key])]);
});

test('every step that a job of the server tells has its words', () => {
  const told = [...jobs.matchAll(/(?:Step::\w+ => |\.set\(\s*)"(\w+)"/g)].map((match) => `step.${match[1]}`);
  expect(told).toContain('step.fetch');
  expect(told).toContain('step.write');
  expect(told.filter((key) => !(key in en))).toEqual([]);
});

test('no half-width punctuation follows Chinese', () => {
  expect(Object.values(zh).filter((text) => /[\u4e00-\u9fff][,;:?!]/.test(text))).toEqual([]);
});

test('a number picks its word', () => {
  expect(fill('{n} {n|file|files}', { n: 1 }, 'en')).toBe('1 file');
  expect(fill('{n} {n|file|files}', { n: 1234 }, 'en')).toBe('1,234 files');
});

test('a value that looks like a placeholder stays as it is', () => {
  expect(fill('“{name}”', { name: '{n}' }, 'en')).toBe('“{n}”');
});

test('the first language wanted that there is', () => {
  expect(preferred(['de-DE', 'zh-TW', 'en'])).toBe('zh');
  expect(preferred(['de-DE'])).toBe('en');
});
