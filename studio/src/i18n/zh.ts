// 中文。键与英文一一对应，由类型检查保证。

import type { en } from './en';
import { data } from './zh/data';
import { label } from './zh/label';
import { models } from './zh/models';
import { settings } from './zh/settings';
import { shell } from './zh/shell';

export const zh: Record<keyof typeof en, string> = { ...shell, ...data, ...label, ...models, ...settings };
