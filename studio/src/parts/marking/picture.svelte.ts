// Marking a picture: tools, and what is being drawn. Pointer and
// keyboard both end here, in pixels of the picture.

import type { Example, Mark, SuggestedMark } from '../../api/types';
import { percent } from '../../domain/format';
import { shapedFor } from '../../domain/offers';
import { MOST_PIXELS } from '../../domain/runs';
import { bounds, boxBetween, handleAt, handles, handleTo, hits, inside, LEAST, markAt, middleOf, movedBy, near, tenth } from '../../domain/shapes';
import type { Point } from '../../domain/view';
import { locale, t } from '../../i18n';
import { Stroke } from './brush';
import { ViewedPicture } from './viewed.svelte';

export const tools = ['select', 'box', 'polygon', 'brush', 'eraser'] as const;
export type Tool = (typeof tools)[number];

export class PictureEditor extends ViewedPicture {
  tool = $state<Tool>('select');
  /** Corners set so far: one of a box, any number of a polygon; and where the next would be. */
  corners = $state.raw<readonly Point[]>([]);
  toward = $state.raw<Point | null>(null);
  handle = $state<number | null>(null);
  stroke = $state.raw<Stroke | null>(null);
  /** Grows with each point of the stroke. */
  painted = $state(0);
  /** The crosshair when a mark was made with it. */
  #madeAt: Point | null = null;
  /** What is being moved, and what it has become so far. Another mark may be selected meanwhile, as a suggestion is accepted. */
  #held: { at: number; handle: number | null; mark: Mark; now: Mark; before: readonly Mark[] } | null = null;

  constructor(example: Example, drawing: string | null, tool: Tool) {
    super(example, drawing);
    this.tool = tool;
  }

  get mayBrush(): boolean {
    return this.ready && this.size.width * this.size.height <= MOST_PIXELS;
  }

  override offered(offer: SuggestedMark): Mark {
    return shapedFor(this.tool, super.offered(offer), this.size, this.mayBrush);
  }

  override told(offer: SuggestedMark): string {
    const name = super.told(offer);
    const middle = middleOf(offer.mark);
    if (!middle || !this.ready) return name;
    return t('marks.offers.at', { name, x: percent(middle[0] / this.size.width, locale()), y: percent(middle[1] / this.size.height, locale()) });
  }

  pick(tool: Tool): void {
    this.finish();
    this.#madeAt = null;
    this.tool = tool;
    if (tool === 'box' || tool === 'polygon') this.select(null);
    this.announced = t(`marks.tool.${tool}`);
  }

  grow(by: number): void {
    const most = Math.max(this.size.width, this.size.height) / 4;
    this.radius = Math.max(0.75, Math.min(most, tenth(this.radius * by)));
    this.announced = t('marks.brush.size', { n: Math.round(this.radius * 2) });
  }

  override select(at: number | null): void {
    super.select(at);
    this.handle = null;
    const middle = this.chosen ? middleOf(this.chosen) : null;
    if (middle && this.byKeys) this.cross = middle;
  }

  selectAt(point: Point): void {
    this.select(markAt(this.marks, point, this.reach));
  }

  /** Whether the point is on the selected mark or one of its handles. */
  touches(point: Point): boolean {
    const mark = this.chosen;
    return mark !== undefined && (hits(mark, point, this.reach) || handleAt(mark, point, this.reach * 1.4) !== null);
  }

  // Corners of boxes and polygons.

  corner(point: Point): void {
    const at = inside(point, this.size);
    const first = this.corners[0];
    if (this.tool === 'polygon' && first && this.corners.length >= 3 && Math.hypot(first[0] - at[0], first[1] - at[1]) <= this.reach) return this.close();
    const last = this.corners.at(-1);
    // The second press of a double click is no corner of its own.
    if (this.tool === 'polygon' && last && Math.hypot(last[0] - at[0], last[1] - at[1]) <= this.reach / 2) return;
    this.corners = [...this.corners, at];
    this.toward = at;
    if (this.tool === 'box' && this.corners.length === 2) this.close();
  }

  /** Makes the mark of the corners set so far, if they are enough for one. */
  close(): void {
    const [a, b] = this.corners;
    const { tool } = this;
    const points = this.corners.map(([x, y]): [number, number] => [tenth(x), tenth(y)]);
    this.corners = [];
    this.toward = null;
    this.#madeAt = this.cross;
    if (tool === 'box' && a && b) {
      const box = boxBetween(a, b, this.drawing);
      if (box.width >= LEAST && box.height >= LEAST) this.add(box);
    } else if (tool === 'polygon' && points.length >= 3) this.add({ class: this.drawing, shape: 'polygon', points });
  }

  uncorner(): void {
    this.corners = this.corners.slice(0, -1);
  }

  // Moving a mark, or one of its handles.

  grip(point: Point): boolean {
    const { chosen, selected } = this;
    if (!chosen || selected === null) return false;
    this.handle = handleAt(chosen, point, this.reach * 1.4);
    this.#held = { at: selected, handle: this.handle, mark: chosen, now: chosen, before: this.marks };
    return true;
  }

  /** While it is held: `to` for a handle, the way so far for the whole mark. */
  drag(to: Point, way: Point): void {
    const held = this.#held;
    if (!held || this.marks[held.at] !== held.now) return;
    const { handle, mark } = held;
    const now = handle === null ? movedBy(mark, way[0], way[1], this.size) : handleTo(mark, handle, to, this.size);
    this.become(now, mark);
    this.marks = this.marks.with(held.at, now);
    this.#held = { ...held, now };
  }

  letGo(): void {
    const held = this.#held;
    this.#held = null;
    if (!held || held.now === held.mark || this.marks[held.at] !== held.now) return;
    this.replace(held.at, held.now, held.before);
    this.handle = held.handle;
  }

  /** What changes while a mark is held is a step of its own, before the one that moves it. */
  override commit(marks: readonly Mark[], selected: number | null, before: readonly Mark[] = this.marks): void {
    const held = this.#held;
    super.commit(marks, selected, held?.before ?? before);
    if (held) this.#held = marks[held.at] === held.now ? { ...held, before: marks.with(held.at, held.mark) } : null;
  }

  /** The keyboard: the chosen handle, or the whole mark, by so many pixels of the picture. */
  nudge(dx: number, dy: number): void {
    const { chosen, selected, handle } = this;
    if (!chosen || selected === null) return;
    const from = handle === null ? undefined : handles(chosen)[handle];
    const next = from && handle !== null ? handleTo(chosen, handle, [from[0] + dx, from[1] + dy], this.size) : movedBy(chosen, dx, dy, this.size);
    this.replace(selected, next);
    this.handle = handle;
    const around = bounds(next);
    const seen = (handle === null ? undefined : handles(next)[handle]) ?? (around && ([around.x, around.y] as const));
    if (seen) this.follow(seen);
  }

  nextHandle(by: 1 | -1): void {
    const n = this.chosen ? handles(this.chosen).length : 0;
    if (n > 0) this.handle = this.handle === null ? (by > 0 ? 0 : n - 1) : (this.handle + by + n) % n;
  }

  // The crosshair.

  moveCross(dx: number, dy: number): void {
    this.byKeys = true;
    this.cross = inside([this.cross[0] + dx, this.cross[1] + dy], this.size);
    if (this.corners.length > 0) this.toward = this.cross;
    if (this.stroke) this.paint(this.cross);
    this.follow(this.cross);
    this.announced = t('marks.at', { x: Math.round(this.cross[0]), y: Math.round(this.cross[1]) });
  }

  /** Whether a mark is selected and no other is meant: it was just made here, or is only looked at. */
  get resting(): boolean {
    return this.chosen !== undefined && (this.tool === 'select' || this.#madeAt === this.cross);
  }

  /** What Enter and Space do where the crosshair is. */
  press(): void {
    if (this.tool === 'select') this.selectAt(this.cross);
    else if (this.tool === 'box' || this.tool === 'polygon') this.corner(this.cross);
    else if (this.stroke) this.lift();
    else {
      this.down(this.cross);
      this.announced = t('marks.pen.down');
    }
  }

  // The brush.

  down(point: Point): void {
    if (!this.mayBrush) return;
    const { chosen, selected } = this;
    const erasing = this.tool === 'eraser';
    let onto = chosen?.shape === 'brush' ? selected : null;
    if (erasing && onto === null) onto = this.marks.findLastIndex((mark) => mark.shape === 'brush' && near(mark, point, this.reach + this.radius));
    if (erasing && (onto === null || onto < 0)) return;
    this.stroke = new Stroke(this.size, onto, onto === null ? undefined : this.marks[onto], erasing ? 0 : 1);
    this.paint(point);
  }

  paint(point: Point): void {
    this.stroke?.to(point, this.radius);
    this.painted += 1;
  }

  lift(): void {
    const { stroke } = this;
    this.stroke = null;
    if (!stroke) return;
    this.#madeAt = this.cross;
    const mark = stroke.done(this.drawing);
    if (mark === undefined) this.announced = t('marks.brush.ragged');
    else if (mark === null) {
      if (stroke.onto !== null) this.commit(this.marks.filter((_, i) => i !== stroke.onto), null);
    } else if (stroke.onto === null) this.add(mark);
    else this.replace(stroke.onto, mark);
  }

  override get leavable(): boolean {
    return super.leavable || this.stroke !== null || this.corners.length > 0 || this.byKeys;
  }

  override escape(): void {
    if (this.stroke) this.stroke = null;
    else if (this.corners.length > 0) [this.corners, this.toward] = [[], null];
    else if (this.handle !== null) this.handle = null;
    else if (this.selected !== null) super.escape();
    else this.byKeys = false;
  }

  override finish(): void {
    if (this.stroke) this.lift();
    if (this.corners.length > 0) this.close();
  }
}
