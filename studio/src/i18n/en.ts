// English. The keys here are the keys of every language; {n|one|many} picks by number.

import { data } from './en/data';
import { label } from './en/label';
import { models } from './en/models';
import { settings } from './en/settings';
import { shell } from './en/shell';

export const en = { ...shell, ...data, ...label, ...models, ...settings };
