import { expect, test } from 'vitest';
import { isForeign, proposedAddress } from './addresses';

const at = (name: string, dataset: string) => ({ name, model: { dataset } });

test.each([
  ['Line 3', [], 'line-3'],
  ['瓷砖', [], 'model'],
  ['瓷砖', [at('model', 'other')], 'model-2'],
  ['瓷砖', [at('model', 'other'), at('model-2', 'gone'), at('model-4', 'other')], 'model-3'],
  ['瓷砖', [at('model', 'other'), at('model-3', 'ours')], 'model-3'],
  ['parts', [at('parts', 'ours')], 'parts'],
  ['parts', [at('parts', 'other')], 'parts-2'],
])('%s beside %j is proposed %s', (name, running, address) => expect(proposedAddress(name, 'ours', running)).toBe(address));

test('an address is foreign where a model of another dataset answers, or of one that is gone', () =>
  expect([at('a', 'ours'), at('a', 'other'), at('a', 'gone')].map((one) => isForeign(one, 'ours'))).toEqual([false, true, true]));
