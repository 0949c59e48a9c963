import { expect, test } from 'vitest';
import type { BookRule, BrokenByMany, ClassNote } from '../api/types';
import { byGiven, joined, newestFirst, notesOf, offers } from './book';

test('a division is offered only where something parts the examples, and keys have no gap', () => {
  expect(offers({ split: 'small ones are dents' }).map(({ choice, key }) => `${key} ${choice}`)).toEqual(['1 all_a', '2 all_b', '3 split', '4 new_class', '5 exclude']);
  expect(offers({ split: null }).map(({ choice, key }) => `${key} ${choice}`)).toEqual(['1 all_a', '2 all_b', '3 new_class', '4 exclude']);
});

test('every class has a place for its note, in the order of the classes', () => {
  const note: ClassNote = { class: 'dent', text: 'deeper than 1 mm', by: 'ann', at: '2026-11-26T12:00:00Z' };
  expect(notesOf(['scratch', 'dent'], [note])).toEqual([{ name: 'scratch', note: null }, { name: 'dent', note }]);
});

const exemplar = (id: string, given: string | null): BookRule['exemplars'][number] => ({ example: { id } as BookRule['exemplars'][number]['example'], given });

test('exemplars stand by the label they had', () => {
  const rule = { exemplars: [exemplar('1', 'a'), exemplar('2', 'b'), exemplar('3', 'a')] };
  expect(byGiven(rule).map(({ given, exemplars }) => [given, exemplars.map((one) => one.example.id)])).toEqual([['a', ['1', '3']], ['b', ['2']]]);
});

test('who labels blindly is not told what they were', () => {
  expect(byGiven({ exemplars: [exemplar('1', null), exemplar('2', null)] })).toHaveLength(1);
});

test('the rule that counts comes first', () => {
  expect(newestFirst([{ number: 1 }, { number: 3 }, { number: 2 }]).map((rule) => rule.number)).toEqual([3, 2, 1]);
});

test('a rule is told once, however many letters the labels went in', () => {
  const against = (number: number, asks: string | null, ...examples: string[]) => ({ rule: { number } as BookRule, asks, examples }) as BrokenByMany;
  const all = joined([against(1, 'dent', 'a'), against(2, null, 'b')], [against(2, null, 'c'), against(1, 'scratch', 'd')]);
  expect(all.map(({ rule, asks, examples }) => [rule.number, asks, examples])).toEqual([[1, 'dent', ['a']], [2, null, ['b', 'c']], [1, 'scratch', ['d']]]);
});
