// Labelling one example after the other. A key shows the next example at once; the label travels behind, and comes
// back with a message when the server does not take it.

import { examples, labels } from '../../api/calls';
import { CallError } from '../../api/client';
import type { BrokenRule, Example, Labelled, Task } from '../../api/types';
import { RETRY } from '../../app/sending';
import { reason, toasts } from '../../app/toasts.svelte';
import { answerText, classesOf, isAnswered, namesGoodParts, withAnswer, type Answer } from '../../domain/answers';
import { Outbox, type Letter } from '../../domain/outbox';
import { withEvent, withMarks } from '../../domain/markings';
import { lookedFor, typicalSeconds } from '../../domain/queue';
import { accepted } from '../../domain/suggestions';
import { locale, t } from '../../i18n';
import { isChanged, type Kept } from '../../parts/marking/keeper';
import { Marking } from '../../parts/marking/marking.svelte';
import type { DatasetStore } from '../dataset/store.svelte';
import { Draft } from './draft.svelte';
import { LiveAccuracy } from './live.svelte';
import { LabelQueue } from './queue.svelte';

export interface Given {
  /** As it was before. */
  example: Example;
  answer: Answer;
  letter: Letter<Labelled>;
  /** Whether the server has nothing to take back: it knew the answer already. */
  idle: boolean;
}

/** What can be taken back, the last at the end. */
type Step = Given | Kept;

export class LabelState extends LabelQueue {
  readonly accuracy: LiveAccuracy;
  waiting = $state(0);
  /** What speaks against a label that was given: a rule of the label book, or the model. */
  warning = $state.raw<{ given: Given; text: string; broken: BrokenRule | null } | null>(null);
  picking = $state(false);
  announced = $state('');
  speed = $state<number | null>(null);
  history = $state.raw<Step[]>([]);
  readonly draft = new Draft();
  readonly #outbox = new Outbox(RETRY, (n) => (this.waiting = n));
  readonly marking = new Marking(this.#outbox, {
    leaving: (kept) => this.#keptMarks(kept),
    replaced: (kept) => (this.history = this.history.filter((step) => step !== kept)),
    sent: ({ example }, { n_marked, event }) => {
      this.store.marked(n_marked);
      this.change(example.id, (one) => withEvent(one, event));
    },
    lost: (kept, error) => void this.#lostMarks(kept, error),
  });
  #times: number[] = [];
  #shownAt = performance.now();
  #wasHidden = false;

  constructor(store: DatasetStore) {
    super(store);
    this.accuracy = new LiveAccuracy(store.id);
    void this.refill();
  }

  /** The page was out of sight, so the time for this example says nothing. */
  hidden(): void {
    this.#wasHidden = true;
    this.marking.save();
  }

  /** A class was chosen, by its key or its button: what that means depends on what is under way. */
  choose(name: string): void {
    const { editor, on } = this.marking;
    if (this.task === 'classes' && !on) return this.draft.toggle(name, this.current, this.store.classes);
    if (this.#defectToMark(name)) {
      // The same class once more: there is nothing further to mark.
      const again = this.draft.label === name && (!editor?.chosen || editor.chosen.class === name);
      if (again) return this.finishMarking();
      if (!this.draft.answer || !editor?.chosen || !on) this.draft.answer = { label: name };
      this.marking.on = true;
      editor?.setClass(name);
    } else if (on && editor && !(this.store.data?.inspects && namesGoodParts(name))) editor.setClass(name);
    else if (this.task === 'class') this.give({ label: name });
  }

  /** A class that may not be there yet; the server makes it with the first label or mark. */
  chooseNew(name: string): void {
    this.store.knows(name);
    this.choose(name);
  }

  /** A part with this defect is answered when the person has marked where it is, or does not want to. */
  #defectToMark(name: string): boolean {
    const asked = !!this.store.data?.inspects && this.marking.editor !== null && this.marking.wanted !== false;
    return asked && this.task === 'class' && !namesGoodParts(name);
  }

  /** Who stops marking a defect says that it is enough. */
  toggleMarking(): void {
    this.marking.toggle();
    if (!this.marking.on && this.draft.label !== null) this.give({ label: this.draft.label });
  }

  /** Saves the marks, with the answer that waited for them, and goes on. */
  finishMarking(): void {
    if (this.draft.answer) return this.give(this.draft.answer);
    const example = this.current;
    if (!example) return;
    this.marking.editor?.confirm();
    this.marking.leave(this.#looked());
    if (example.own_marks || (this.marking.editor && this.marking.editor.marks.length > 0)) this.done.add(example.id);
    else this.skipped.add(example.id);
    this.next();
  }

  get mayGiveDrafted(): boolean {
    return this.task === 'classes' && !this.marking.on && (this.draft.answer !== null || !!this.current?.labels);
  }

  giveDrafted(): void {
    this.give({ labels: [...this.draft.labelsOf(this.current)] });
  }

  get mayGiveNone(): boolean {
    return this.task === 'classes' && !this.marking.on && this.current !== undefined;
  }

  giveNone(): void {
    this.give({ labels: [] });
  }

  get mayAccept(): boolean {
    if (this.marking.on || !this.current) return false;
    // Where something is ticked or was answered, Enter means that.
    const open = this.task === 'class' || (this.draft.answer === null && !isAnswered(this.current));
    return open && this.#accepted !== null;
  }

  get #accepted(): Answer | null {
    return accepted(this.current?.suggestion ?? null, this.task);
  }

  /** What the model suggests is right; a defect still wants its marks. */
  accept(): void {
    const answer = this.#accepted;
    if (!answer) return;
    if ('label' in answer && answer.label !== null) this.choose(answer.label);
    else this.give(answer);
  }

  get mayTick(): boolean {
    return this.task === 'classes' && this.mayAccept;
  }

  /** Begins with what the model suggests, to mend it. */
  tick(): void {
    this.draft.answer = this.#accepted;
  }

  give(answer: Answer): void {
    const milliseconds = this.#looked();
    if (!this.current) return;
    // Marks first: a label is taken back first, with the marks still there.
    this.marking.leave(milliseconds);
    const example = this.current;
    if (milliseconds !== null) this.#timed(milliseconds);
    const given = this.#given(example, answer, milliseconds);
    this.done.add(example.id);
    this.next();
    this.#outbox.add(given.letter);
  }

  /** Counts an answer, and writes the letter that brings it to the server. */
  #given(example: Example, answer: Answer, milliseconds: number | null): Given {
    const from = this.asked.has(example.id) ? 'queue' : 'elsewhere';
    let sends = 0;
    const given: Given = {
      example,
      answer,
      letter: {
        send: () => ((sends += 1), labels.set(this.store.id, example.id, answer, { milliseconds, from })),
        // What was sent twice may have changed something the first time.
        sent: (taken) => ((given.idle = !taken.changed && sends === 1), this.#sent(given, taken)),
        lost: (error) => this.#lost(given, error),
      },
      idle: false,
    };
    this.history = [...this.history, given];
    this.store.moved(classesOf(example), classesOf(answer));
    this.announced = t('label.saved', { name: example.name, label: this.told(answer) });
    return given;
  }

  /** An answer in words. */
  told(answer: Answer): string {
    return answerText(answer, t('task.none'), locale()) ?? t('gallery.unlabelled');
  }

  #looked(): number | null {
    return lookedFor(this.#shownAt, performance.now(), this.#wasHidden);
  }

  skip(): void {
    if (!this.current) return;
    this.marking.leave(null);
    this.skipped.add(this.current.id);
    this.next();
  }

  protected override shown(): void {
    this.#shownAt = performance.now();
    this.#wasHidden = document.hidden;
    this.draft.clear();
    this.marking.show(this.current, this.modality, this.#marksUsually());
  }

  /** Marks are what this dataset is about: there are some, and it asks for no defect first. */
  #marksUsually(): boolean {
    const data = this.store.data;
    return !!data && data.n_marked > 0 && !data.inspects && data.n_labelled === 0;
  }

  #timed(milliseconds: number): void {
    this.#times = [...this.#times.slice(-19), milliseconds];
    this.speed = typicalSeconds(this.#times);
  }

  #sent(given: Given, answer: Labelled): void {
    this.accuracy.touch();
    if (answer.warning) this.warning = { given, text: answer.warning, broken: answer.broken };
  }

  #lost(given: Given, error: unknown): void {
    this.#takeBack(given);
    toasts.bad(t('label.lost', { label: this.told(given.answer), name: given.example.name, reason: reason(error) }));
  }

  #keptMarks(kept: Kept): void {
    this.history = [...this.history, kept];
    this.change(kept.example.id, (example) => withMarks(example, kept.marks));
  }

  /** The example comes back with the marks as they were drawn, so that they can be mended; with those of somebody else where they were quicker. */
  async #lostMarks(kept: Kept, error: unknown): Promise<void> {
    this.history = this.history.filter((step) => step !== kept);
    const theirs = isChanged(error) ? await examples.get(kept.example.id).catch(() => null) : null;
    if (theirs) {
      this.show(theirs);
      this.marking.on = true;
      this.marking.editor?.setAside(kept.marks);
      return toasts.bad(t('marks.changed', { name: theirs.name }));
    }
    this.show(withMarks(kept.example, kept.before));
    this.marking.on = true;
    this.marking.editor?.bringBack(kept.marks);
    toasts.bad(t('marks.lost', { name: kept.example.name, reason: reason(error) }));
  }

  /** As if it had not been done; the example is shown again. */
  #takeBack(step: Step): void {
    this.history = this.history.filter((one) => one !== step);
    if ('answer' in step) {
      this.store.moved(classesOf(step.answer), classesOf(step.example));
      this.show(step.example);
    } else this.show(withMarks(step.example, step.before));
    this.announced = 'answer' in step ? t('label.undone', { label: this.told(step.answer) }) : t('marks.undone');
  }

  show(example: Example): void {
    this.warning = null;
    this.putFirst(example);
  }

  protected override arrived(): Promise<void> {
    return this.#outbox.empty();
  }

  async undo(): Promise<void> {
    this.marking.leave(null);
    const last = this.history.at(-1);
    if (last && this.#outbox.takeBack(last.letter)) return this.#takeBack(last);
    await this.#outbox.empty();
    // It was lost on the way, and is shown again already.
    if (last && !this.history.includes(last)) return;
    // The server would take back what was given before it.
    if (last && 'answer' in last && last.idle) return this.#takeBack(last);
    try {
      const { example, undone, what, n } = await labels.undo(this.store.id);
      if (what === 'presence') return await this.#movedBack(n);
      if (n > 1) return await this.#tookBackMany(example, n);
      this.history = this.history.slice(0, -1);
      if (what === 'marks') await this.store.load();
      else if (last && 'answer' in last && last.example.id === example.id) this.store.moved(classesOf(last.answer), classesOf(example));
      else this.store.moved(undone === null ? null : [undone], classesOf(example));
      this.show(example);
      this.announced = what === 'marks' ? t('marks.undone') : t('label.undone', { label: undone ?? '' });
      this.accuracy.touch();
    } catch (error) {
      if (error instanceof CallError && error.status === 404) toasts.say(t('label.undo.nothing'));
      else toasts.failed(error);
    }
  }

  /** Examples that were taken out or brought back on another page: none of them is shown, for it may be out now. */
  async #movedBack(n: number): Promise<void> {
    await this.store.load();
    toasts.say(t('gallery.undone.presence', { n }));
  }

  /** Many that were given together, on another page: of all but one only the server knows what they were. */
  async #tookBackMany(example: Example, n: number): Promise<void> {
    await this.store.load();
    this.show(example);
    toasts.say(t('gallery.undone', { n }));
    this.accuracy.touch();
  }

  /** Shows the example of the warning again, with its label as it is now. */
  reconsider(): void {
    if (!this.warning) return;
    const { example, answer } = this.warning.given;
    this.show(withAnswer(example, answer));
  }

  get mayFollow(): boolean {
    return !!this.warning?.broken?.asks;
  }

  /** Takes the label that the rule asks for; what is shown now stays. */
  followRule(): void {
    const asks = this.warning?.broken?.asks;
    if (!this.warning || !asks) return;
    const { example, answer } = this.warning.given;
    this.warning = null;
    this.#outbox.add(this.#given(withAnswer(example, answer), { label: asks }, null).letter);
  }

  get mayStay(): boolean {
    return this.warning !== null;
  }

  /** The label is right, whatever was said against it. */
  stay(): void {
    this.warning = null;
  }

  get task(): Task {
    return this.store.data?.task ?? 'class';
  }

  stop(): void {
    this.marking.stop();
    this.accuracy.stop();
  }
}
