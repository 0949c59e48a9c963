// English. The keys here are the keys of every language; {n|one|many} picks by number.

import { agree } from './en/agree';
import { book } from './en/book';
import { content } from './en/content';
import { data } from './en/data';
import { history } from './en/history';
import { label } from './en/label';
import { marks } from './en/marks';
import { others } from './en/others';
import { tasks } from './en/tasks';
import { inspect } from './en/inspect';
import { map } from './en/map';
import { models } from './en/models';
import { monitor } from './en/monitor';
import { settings } from './en/settings';
import { shell } from './en/shell';

export const en = { ...shell, ...content, ...data, ...label, ...book, ...marks, ...others, ...tasks, ...inspect, ...map, ...models, ...agree, ...monitor, ...settings, ...history };
