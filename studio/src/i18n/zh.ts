// 中文。键与英文一一对应，由类型检查保证。

import type { en } from './en';
import { agree } from './zh/agree';
import { book } from './zh/book';
import { content } from './zh/content';
import { data } from './zh/data';
import { history } from './zh/history';
import { label } from './zh/label';
import { marks } from './zh/marks';
import { others } from './zh/others';
import { tasks } from './zh/tasks';
import { inspect } from './zh/inspect';
import { map } from './zh/map';
import { models } from './zh/models';
import { monitor } from './zh/monitor';
import { settings } from './zh/settings';
import { shell } from './zh/shell';

export const zh: Record<keyof typeof en, string> = { ...shell, ...content, ...data, ...label, ...book, ...marks, ...others, ...tasks, ...inspect, ...map, ...models, ...agree, ...monitor, ...settings, ...history };
