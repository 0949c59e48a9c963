import { expect, test } from 'vitest';
import { Outbox, type Letter } from './outbox';
import { delayOf, retry, type RetryOptions } from './retry';

const waits: number[] = [];
const options: RetryOptions = {
  attempts: 3,
  firstDelayMs: 100,
  maxDelayMs: 250,
  wait: async (ms) => void waits.push(ms),
  passing: (error) => error === 'down',
};

function letter(log: string[], name: string, answers: (string | Error)[]): Letter<string> {
  return {
    send: async () => {
      const answer = answers.shift() ?? 'ok';
      log.push(`send ${name}`);
      if (answer === 'down' || answer instanceof Error) throw answer;
      return answer;
    },
    sent: (answer) => log.push(`${name} ${answer}`),
    lost: () => log.push(`${name} lost`),
  };
}

test('letters leave in order, one at a time', async () => {
  const log: string[] = [];
  const outbox = new Outbox(options, () => {});
  outbox.add(letter(log, 'a', ['down', 'ok']));
  outbox.add(letter(log, 'b', ['ok']));
  await outbox.empty();
  expect(log).toEqual(['send a', 'send a', 'a ok', 'send b', 'b ok']);
  expect(outbox.size).toBe(0);
});

test('what the server refuses is told at once, and the rest goes on', async () => {
  const log: string[] = [];
  const outbox = new Outbox(options, () => {});
  outbox.add(letter(log, 'a', [new Error('no')]));
  outbox.add(letter(log, 'b', ['ok']));
  await outbox.empty();
  expect(log).toEqual(['send a', 'a lost', 'send b', 'b ok']);
});

test('what has not left can be taken back', async () => {
  const log: string[] = [];
  const outbox = new Outbox(options, () => {});
  const b = letter(log, 'b', ['ok']);
  outbox.add(letter(log, 'a', ['ok']));
  outbox.add(b);
  expect(outbox.takeBack(b)).toBe(true);
  await outbox.empty();
  expect(log).toEqual(['send a', 'a ok']);
  expect(outbox.takeBack(b)).toBe(false);
});

test('gives up after the last attempt', async () => {
  waits.length = 0;
  await expect(retry(() => Promise.reject('down'), options)).rejects.toBe('down');
  expect(waits).toEqual([100, 200]);
});

test('waits longer each time, up to a limit', () => expect([1, 2, 3, 9].map((n) => delayOf(n, options))).toEqual([100, 200, 250, 250]));
