// The map of a dataset: its points, what is seen of it, what is selected, and labels for what is selected.

import { datasets, examples, labels } from '../../api/calls';
import type { BrokenByMany, Example, Spots, Task } from '../../api/types';
import { toasts } from '../../app/toasts.svelte';
import { ofClass } from '../../domain/answers';
import { rgbOf, rgbOfShare } from '../../domain/colours';
import { cloudOf, fifths, Grid, packed, type Cloud } from '../../domain/map';
import { batches } from '../../domain/pool';
import type { Size } from '../../domain/runs';
import { fitted, panned, toPicture, zoomed, type Point, type View } from '../../domain/view';
import { t } from '../../i18n';
import { Against } from '../../parts/book/against.svelte';
import type { DatasetStore } from '../dataset/store.svelte';

export const colourings = ['label', 'suggestion', 'disagrees'] as const;
export type Colouring = (typeof colourings)[number];
export const mapTools = ['pan', 'box', 'lasso'] as const;
export type MapTool = (typeof mapTools)[number];

const LOOKING_MS = 1500;
const BATCH = 500;
const SHOWN = 24;
const PLANE: Size = { width: 1, height: 1 };
/** As close as this many times the whole. */
const CLOSEST = 200;

export class MapState {
  readonly store: DatasetStore;
  spots = $state.raw<Spots | null>(null);
  error = $state.raw<unknown>(null);
  colouring = $state<Colouring>('label');
  /** Of several labels, the one that points are coloured by: its place among the classes. */
  asked = $state(0);
  tool = $state<MapTool>('pan');
  view = $state.raw<View>({ scale: 1, x: 0, y: 0 });
  frame = $state.raw<Size>({ width: 0, height: 0 });
  /** Grows when labels change, as the arrays tell nobody. */
  round = $state(0);
  /** Those that are selected, in their order. */
  chosen = $state.raw<number[]>([]);
  hovered = $state<number | null>(null);
  outline = $state.raw<readonly Point[]>([]);
  labelling = $state.raw<{ done: number; total: number } | null>(null);
  /** The first of those selected, to look at. */
  first = $state.raw<Example[]>([]);
  readonly against = new Against();
  cloud: Cloud = cloudOf([], []);
  grid = new Grid(this.cloud);
  #moved = false;
  #stopped = false;
  #timer: ReturnType<typeof setTimeout> | undefined;

  constructor(store: DatasetStore) {
    this.store = store;
    void this.load();
  }

  async load(): Promise<void> {
    try {
      const spots = await datasets.map(this.store.id);
      if (this.#stopped) return;
      this.error = null;
      if (spots.state === 'ready' && this.spots?.state !== 'ready') this.#begin(spots);
      this.spots = spots;
      if (spots.state === 'looking') this.#timer = setTimeout(() => void this.load(), LOOKING_MS);
    } catch (error) {
      this.error = error;
    }
  }

  #begin(spots: Spots): void {
    this.cloud = cloudOf(spots.x, spots.y);
    this.grid = new Grid(this.cloud);
    this.fit();
  }

  get task(): Task {
    return this.store.data?.task ?? 'class';
  }

  /** Fifths of the numbers that were given; while there are none, of those that would be. */
  readonly fifths = $derived.by(() => {
    void this.round;
    const given = this.spots?.numbers ?? [];
    return fifths(given.some((number) => number != null) ? given : (this.spots?.suggested_numbers ?? []));
  });

  /** For each point the place of its colour: 0 for none, then classes, fifths, or without and with a label; or 1 where the model agrees, 2 where not. */
  colours(): Uint8Array {
    return Uint8Array.from({ length: this.cloud.n }, (_, i) => this.#colour(i));
  }

  #colour(i: number): number {
    const { spots } = this;
    if (!spots) return 0;
    if (this.colouring === 'disagrees') return this.isOpen(i) ? 0 : this.disagrees(i) ? 2 : 1;
    const suggested = this.colouring === 'suggestion';
    if (this.task === 'number') {
      const number = (suggested ? spots.suggested_numbers : spots.numbers)[i];
      return number == null ? 0 : 1 + this.fifths.of(number);
    }
    if (this.task === 'classes') {
      const set = (suggested ? spots.suggested_sets : spots.sets)[i];
      return set == null ? 0 : set.includes(this.asked) ? 2 : 1;
    }
    const one = (suggested ? spots.suggestions : spots.labels)[i];
    return one == null ? 0 : 1 + (one % 255);
  }

  /** The values of pixels by the place of a colour. */
  palette(dark: boolean): Uint32Array {
    const values = Uint32Array.from({ length: 256 }, (_, i) => packed(rgbOf(i - 1, dark)));
    const parts = this.fifths.ends.length;
    if (this.colouring === 'disagrees') values.set([packed(rgbOf(-1, dark)), packed(dark ? [1, 0.45, 0.4] : [0.75, 0.1, 0.08])], 1);
    else if (this.task === 'number') for (let k = 0; k <= parts; k += 1) values[1 + k] = packed(rgbOfShare(parts > 0 ? k / parts : 0.5, dark));
    else if (this.task === 'classes') values.set([packed(dark ? [0.75, 0.78, 0.77] : [0.3, 0.34, 0.33]), packed(rgbOf(this.asked, dark))], 1);
    return values;
  }

  /** Whether nobody gave an answer, as far as it may be seen. */
  isOpen(i: number): boolean {
    const { spots } = this;
    return spots?.labels[i] == null && spots?.sets[i] == null && spots?.numbers[i] == null;
  }

  disagrees(i: number): boolean {
    const { spots } = this;
    // Of one class of several it is known at once, also of what was labelled since.
    if (this.task !== 'class') return spots?.disagrees[i] ?? false;
    const [label, suggestion] = [spots?.labels[i], spots?.suggestions[i]];
    return label != null && suggestion != null && label !== suggestion;
  }

  framed(frame: Size): void {
    this.frame = frame;
    if (!this.#moved) this.fit();
  }

  fit(): void {
    this.#moved = false;
    if (this.frame.width > 0) this.view = zoomed(fitted(PLANE, this.frame), 0.94, [this.frame.width / 2, this.frame.height / 2], PLANE, this.frame);
  }

  zoom(by: number, at: Point = [this.frame.width / 2, this.frame.height / 2]): void {
    this.#moved = true;
    this.view = zoomed(this.view, by, at, PLANE, this.frame, Math.min(this.frame.width, this.frame.height) * CLOSEST);
  }

  pan(dx: number, dy: number): void {
    this.#moved = true;
    this.view = panned(this.view, dx, dy, PLANE, this.frame);
  }

  /** The point at this place of the screen. */
  at(place: Point, reach: number): number | null {
    return this.grid.nearest(toPicture(this.view, place), reach / this.view.scale);
  }

  hover(place: Point | null): void {
    this.hovered = place === null || this.spots?.state !== 'ready' ? null : this.at(place, 8);
  }

  get nSelected(): number {
    return this.chosen.length;
  }

  /** Selects these, besides what is selected when `more`. */
  select(found: readonly number[], more: boolean): void {
    const all = more ? new Set([...this.chosen, ...found]) : found;
    this.chosen = [...all].sort((a, b) => a - b);
    void this.#lookAtFirst();
  }

  /** What lies within the drawn outline, in screen pixels. */
  selectInside(outline: readonly Point[], more: boolean): void {
    this.select(this.grid.inside(outline.map((place) => toPicture(this.view, place))), more);
  }

  /** Where the keyboard looks: the middle. */
  selectHere(): void {
    const [x, y] = [this.frame.width / 2, this.frame.height / 2];
    const ring = Array.from({ length: 24 }, (_, i): Point => [x + 24 * Math.cos((i / 12) * Math.PI), y + 24 * Math.sin((i / 12) * Math.PI)]);
    this.selectInside(ring, true);
  }

  selectWhere(fits: (i: number) => boolean): void {
    const found: number[] = [];
    for (let i = 0; i < this.cloud.n; i += 1) if (fits(i)) found.push(i);
    this.select(found, false);
  }

  clear(): void {
    this.select([], false);
  }

  async #lookAtFirst(): Promise<void> {
    const { chosen } = this;
    const ids = chosen.slice(0, SHOWN).map((i) => this.spots?.ids[i] ?? '');
    const found = await Promise.all(ids.map((id) => examples.get(id).catch(() => null)));
    if (chosen === this.chosen) this.first = found.filter((one) => one !== null);
  }

  get mayLabel(): boolean {
    return this.task === 'class' && this.nSelected > 0 && this.labelling === null;
  }

  /** One class for all that are selected. */
  async label(name: string): Promise<void> {
    const { spots } = this;
    if (!spots || !this.mayLabel) return;
    const to = spots.classes.indexOf(name);
    const todo = this.chosen.filter((i) => to < 0 || spots.labels[i] !== to);
    let done = 0;
    let requests = 0;
    this.against.clear();
    this.labelling = { done, total: todo.length };
    try {
      for (const batch of batches(todo, BATCH)) {
        const taken = await labels.setMany(this.store.id, batch.map((i) => ({ example: spots.ids[i] ?? '', ...ofClass(name, 'class') })));
        this.against.hear(taken);
        // Where all had the label already there is nothing to take back.
        if (taken.n_changed > 0) requests += 1;
        for (const i of batch) this.#named(i, name);
        done += batch.length;
        this.labelling = { done, total: todo.length };
      }
    } catch (error) {
      toasts.failed(error);
    }
    this.labelling = null;
    this.round += 1;
    this.clear();
    const undo = requests > 0 ? { title: t('common.undo'), run: () => void this.undo(requests) } : undefined;
    if (done > 0) toasts.say(t('gallery.labelled', { n: done, label: name }), undo);
  }

  #named(i: number, name: string): void {
    const { spots } = this;
    if (!spots) return;
    const before = spots.labels[i];
    this.store.moved(before == null ? null : [spots.classes[before] ?? ''], [name]);
    if (!spots.classes.includes(name)) spots.classes.push(name);
    spots.labels[i] = spots.classes.indexOf(name);
  }

  /** What a rule asks for, in place of what was just given. */
  async follow(broken: BrokenByMany, label: string): Promise<void> {
    if (this.labelling) return;
    const ids = new Set(broken.examples);
    this.selectWhere((i) => ids.has(this.spots?.ids[i] ?? ''));
    await this.against.follow(broken, () => this.label(label));
  }

  /** Takes back the last requests; the server takes back all that was given in one of them together. */
  async undo(requests: number): Promise<void> {
    this.against.clear();
    let undone = 0;
    let moved = false;
    try {
      for (let i = 0; i < requests; i += 1) {
        const { n, what } = await labels.undo(this.store.id);
        undone += n;
        moved = what === 'presence';
      }
    } catch (error) {
      toasts.failed(error);
    }
    await Promise.all([this.store.load(), this.load()]);
    this.round += 1;
    if (undone > 0) toasts.say(t(moved ? 'gallery.undone.presence' : 'gallery.undone', { n: undone }));
  }

  stop(): void {
    this.#stopped = true;
    clearTimeout(this.#timer);
  }
}
