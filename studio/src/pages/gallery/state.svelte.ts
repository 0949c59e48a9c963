// What the gallery shows and what is selected in it.

import { tick } from 'svelte';
import { datasets, examples, labels, type ExampleQuery } from '../../api/calls';
import type { BrokenByMany, Example, Task, Undone } from '../../api/types';
import { RETRY } from '../../app/sending';
import { reason, toasts } from '../../app/toasts.svelte';
import { answerOf, answerText, classesOf, noAnswer, ofClass, sameAnswer, toggleClass, withAnswer, type Answer } from '../../domain/answers';
import { Outbox } from '../../domain/outbox';
import { withEvent, withMarks } from '../../domain/markings';
import { Paged } from '../../domain/pages';
import { batches } from '../../domain/pool';
import * as selecting from '../../domain/selection';
import { locale, t } from '../../i18n';
import { Against } from '../../parts/book/against.svelte';
import { isChanged, type Kept } from '../../parts/marking/keeper';
import { Marking } from '../../parts/marking/marking.svelte';
import type { DatasetStore } from '../dataset/store.svelte';

const PAGE = 100;
/** 200 pages of 100 are about 10 MB of memory. */
const MAX_PAGES = 200;
/** Labels of one request: enough to be quick, few enough to show how far it is. */
const BATCH = 500;

export class GalleryState {
  readonly store: DatasetStore;
  total = $state<number | null>(null);
  error = $state.raw<unknown>(null);
  selection = $state.raw(selecting.nothing);
  active = $state(0);
  opened = $state<number | null>(null);
  labelling = $state.raw<{ done: number; total: number } | null>(null);
  picking = $state(false);
  /** Whether the list is of what was taken out. */
  showsRemoved = $state(false);
  readonly against = new Against();
  /** What was labelled last, as it stands since. */
  #given = new Map<string, Example>();
  /** Marks on their way. */
  waiting = $state(0);
  readonly #outbox = new Outbox(RETRY, (n) => (this.waiting = n));
  readonly marking = new Marking(this.#outbox, {
    leaving: ({ example, marks }) => this.#paged.replace((one) => (one.id === example.id ? withMarks(one, marks) : one)),
    replaced: () => {},
    sent: ({ example }, { n_marked, event }) => {
      this.store.marked(n_marked);
      this.#paged.replace((one) => (one.id === example.id ? withEvent(one, event) : one));
    },
    lost: (kept, error) => void this.#lostMarks(kept, error),
  });
  #round = $state(0);
  #paged: Paged<Example>;

  constructor(store: DatasetStore, query: ExampleQuery) {
    this.store = store;
    this.showsRemoved = query.state === 'removed';
    this.#paged = this.#list(query);
    this.#paged.want(0, PAGE);
  }

  /** Shown as they were before; where the example is still open, the refused ones stay in hand to be mended. */
  async #lostMarks({ example, before, marks }: Kept, error: unknown): Promise<void> {
    const theirs = isChanged(error) ? await examples.get(example.id).catch(() => null) : null;
    if (theirs) {
      toasts.bad(t('marks.changed', { name: example.name }));
      this.#paged.replace((one) => (one.id === example.id ? theirs : one));
      await tick();
      if (this.opened !== null && this.marking.editor?.example.id === example.id) this.marking.editor.setAside(marks);
      return;
    }
    toasts.bad(t('marks.lost', { name: example.name, reason: reason(error) }));
    this.#paged.replace((one) => (one.id === example.id ? withMarks(one, before) : one));
    await tick();
    if (this.opened !== null && this.marking.editor?.example.id === example.id) this.marking.editor.bringBack(marks);
  }

  #list(query: ExampleQuery): Paged<Example> {
    const paged: Paged<Example> = new Paged({
      pageSize: PAGE,
      maxPages: MAX_PAGES,
      fetch: async (offset, limit) => {
        const answer = await datasets.examples(this.store.id, query, offset, limit);
        return { total: answer.total, items: answer.examples };
      },
      changed: () => {
        if (paged !== this.#paged) return;
        this.total = paged.total;
        this.error = paged.error;
        this.#round += 1;
      },
    });
    return paged;
  }

  /** Other filters: another list. */
  show(query: ExampleQuery): void {
    this.showsRemoved = query.state === 'removed';
    this.#paged = this.#list(query);
    this.total = null;
    this.error = null;
    this.selection = selecting.nothing;
    this.active = 0;
    this.opened = null;
    this.#paged.want(0, PAGE);
  }

  example(index: number): Example | undefined {
    // Reading the round makes what is drawn follow the pages as they come.
    void this.#round;
    return this.#paged.peek(index);
  }

  want(first: number, end: number): void {
    this.#paged.want(first, end);
  }

  get nSelected(): number {
    return selecting.count(this.selection);
  }

  press(index: number, event: MouseEvent): void {
    this.active = index;
    if (event.shiftKey) this.selection = selecting.extend(this.selection, index);
    else if (event.ctrlKey || event.metaKey || this.nSelected > 0) this.selection = selecting.toggle(this.selection, index);
    else this.open(index);
  }

  move(to: number, extend: boolean): void {
    if (extend) this.selection = selecting.extend(this.nSelected > 0 ? this.selection : selecting.only(this.active), to);
    this.active = to;
  }

  open(index: number): void {
    this.opened = index;
    this.active = index;
    this.want(index - 1, index + 2);
  }

  /** The ids of what is selected, or of the active one when nothing is. */
  async #chosen(): Promise<Example[]> {
    const wanted = this.nSelected > 0 ? [...selecting.indices(this.selection)] : [this.active];
    const found: Example[] = [];
    for (const index of wanted) {
      const example = await this.#paged.at(index);
      if (example) found.push(example);
    }
    return found;
  }

  get task(): Task {
    return this.store.data?.task ?? 'class';
  }

  /** A class for what is selected; null takes the answers away. */
  async labelChosen(name: string | null): Promise<void> {
    await this.#forChosen((chosen) => this.label(chosen, name));
  }

  async answerChosen(answer: Answer): Promise<void> {
    await this.#forChosen((chosen) => this.answer(chosen, () => answer));
  }

  async #forChosen(run: (chosen: Example[]) => Promise<void>): Promise<void> {
    if (this.labelling) return;
    const chosen = await this.#chosen();
    this.selection = selecting.nothing;
    await run(chosen);
  }

  /** One class, or one more of several: then it is taken away where all have it already. */
  async label(chosen: Example[], name: string | null): Promise<void> {
    if (this.task !== 'classes' || name === null) return this.answer(chosen, () => (name === null ? noAnswer(this.task) : ofClass(name, this.task)));
    const everywhere = chosen.every((example) => example.labels?.includes(name));
    await this.answer(chosen, ({ labels }) => {
      const has = labels?.includes(name) ?? false;
      return { labels: has === everywhere ? toggleClass(labels ?? [], name, this.store.classes) : labels };
    });
  }

  async answer(chosen: Example[], to: (example: Example) => Answer): Promise<void> {
    const todo = chosen.map((example) => ({ example, answer: to(example) })).filter(({ example, answer }) => !sameAnswer(answerOf(example, this.task), answer));
    const first = todo[0]?.answer;
    if (!first) return;
    let done = 0;
    let requests = 0;
    this.against.clear();
    this.#given.clear();
    if (todo.length > BATCH) this.labelling = { done, total: todo.length };
    try {
      for (const batch of batches(todo, BATCH)) {
        if (await this.#send(batch)) requests += 1;
        done += batch.length;
        if (this.labelling) this.labelling = { done, total: todo.length };
      }
    } catch (error) {
      toasts.failed(error);
    }
    this.labelling = null;
    if (done === 0) return;
    const label = answerText(first, t('task.none'), locale());
    const text = label === null ? t('gallery.unlabelled.done', { n: done }) : t('gallery.labelled', { n: done, label });
    toasts.say(text, requests > 0 ? { title: t('common.undo'), run: () => void this.undo(requests) } : undefined);
  }

  /** Returns whether there is something to take back: not where the server had all of these answers already. */
  async #send(batch: { example: Example; answer: Answer }[]): Promise<boolean> {
    const changed = await this.#give(batch);
    const given = new Map(batch.map(({ example, answer }) => [example.id, answer]));
    this.#paged.replace((example) => {
      const answer = given.get(example.id);
      return answer ? { ...withAnswer(example, answer), by: null } : example;
    });
    for (const { example, answer } of batch) {
      this.store.moved(classesOf(example), classesOf(answer));
      this.#given.set(example.id, withAnswer(example, answer));
    }
    return changed;
  }

  async #give(batch: { example: Example; answer: Answer }[]): Promise<boolean> {
    const [first] = batch;
    if (batch.length === 1 && first) {
      const { changed, warning } = await labels.set(this.store.id, first.example.id, first.answer, { milliseconds: null, from: 'elsewhere' });
      if (warning) toasts.bad(warning);
      return changed;
    }
    const taken = await labels.setMany(this.store.id, batch.map(({ example, answer }) => ({ example: example.id, ...answer })));
    this.against.hear(taken);
    return taken.n_changed > 0;
  }

  /** What a rule asks for, in place of what was just given. */
  async follow(broken: BrokenByMany, label: string): Promise<void> {
    if (this.labelling) return;
    const chosen = broken.examples.map((id) => this.#given.get(id)).filter((example) => example !== undefined);
    const given = new Map(this.#given);
    await this.against.follow(broken, () => this.label(chosen, label));
    for (const [id, example] of given) if (!this.#given.has(id)) this.#given.set(id, example);
  }

  /** Takes what is selected out of the data set, or brings it back where what was taken out is shown. */
  async moveChosen(): Promise<void> {
    await this.#forChosen((chosen) => this.moveMany(chosen));
  }

  async moveMany(chosen: Example[]): Promise<void> {
    const removed = !this.showsRemoved;
    this.against.clear();
    this.marking.leave(null);
    await this.#outbox.empty();
    this.opened = null;
    let moved = 0;
    let requests = 0;
    try {
      for (const batch of batches(chosen, BATCH)) {
        const { n_changed } = await datasets.setRemoved(this.store.id, batch.map(({ id }) => id), removed);
        moved += n_changed;
        if (n_changed > 0) requests += 1;
      }
    } catch (error) {
      toasts.failed(error);
    }
    await this.#afresh();
    if (moved === 0) return;
    toasts.say(t(removed ? 'gallery.taken_out' : 'gallery.brought_back', { n: moved }), { title: t('common.undo'), run: () => void this.undo(requests) });
  }

  /** Others are there than before. */
  async #afresh(): Promise<void> {
    await this.#paged.afresh();
    this.active = Math.max(0, Math.min(this.active, (this.total ?? 0) - 1));
    await this.store.load();
  }

  /** Takes back the last requests; the server takes back all that was given in one of them together. */
  async undo(requests: number): Promise<void> {
    this.against.clear();
    this.marking.leave(null);
    await this.#outbox.empty();
    let undone = 0;
    let what: Undone['what'] = 'label';
    try {
      for (let i = 0; i < requests; i += 1) {
        const taken = await labels.undo(this.store.id);
        undone += taken.n;
        what = taken.what;
        this.changed(taken.example);
      }
    } catch (error) {
      toasts.failed(error);
    }
    // Of many that are taken back together one is told.
    if (undone > 1 || what === 'presence') await this.#afresh();
    else await this.store.load();
    if (undone === 0) return;
    toasts.say(what === 'label' ? t('gallery.undone', { n: undone }) : what === 'marks' ? t('gallery.undone.marks') : t('gallery.undone.presence', { n: undone }));
  }

  changed(next: Example): void {
    this.#paged.replace((example) => (example.id === next.id ? next : example));
  }
}
