// `t('key', { values })`: a message in the language of the page, checked by types for its key and its values.

import { prefs } from '../app/prefs.svelte';
import { en } from './en';
import { fill, type Values } from './fill';
import { zh } from './zh';

export type Key = keyof typeof en;
/** Keys of messages that need no values, for titles that are chosen at run time. */
export type PlainKey = { [K in Key]: Values<(typeof en)[K]> extends [] ? K : never }[Key];

const messages: Record<'en' | 'zh', Partial<Record<Key, string>>> = { en, zh };

export function t<K extends Key>(key: K, ...values: Values<(typeof en)[K]>): string {
  return fill(messages[prefs.language][key] ?? key, values[0] ?? {}, locale());
}

/** The name of a code of the server, such as a step or a metric; `otherwise`, or the code itself, where it has none. */
export function named(group: 'step' | 'metric' | 'points' | 'on' | 'trail' | 'format' | 'refused', code: string | null, otherwise: string | null = code): string {
  const message = messages[prefs.language][`${group}.${code}` as Key];
  return message ?? otherwise ?? '';
}

/** For dates and numbers. */
export function locale(): string {
  return prefs.language === 'zh' ? 'zh-CN' : 'en-GB';
}
