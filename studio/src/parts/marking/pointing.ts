// The hand on a picture: a mouse, a pen or fingers. One draws, moves or pans, as the tool says; two fingers pinch.

import { toPicture, type Point } from '../../domain/view';
import type { PictureEditor } from './picture.svelte';

/** Screen pixels a press may wander and still be a press. */
const STILL = 4;

type Doing = 'pan' | 'box' | 'move' | 'stroke' | 'press' | null;

export class Pointing {
  /** Space is held: dragging pans, whatever the tool. */
  spaced = false;
  readonly #editor: PictureEditor;
  readonly #frame: HTMLElement;
  readonly #down = new Map<number, Point>();
  #doing: Doing = null;
  #start: Point = [0, 0];
  #last: Point = [0, 0];
  #pinched = false;

  constructor(editor: PictureEditor, frame: HTMLElement) {
    this.#editor = editor;
    this.#frame = frame;
  }

  /** `mayMark`: otherwise the hand only moves the picture. */
  down(event: PointerEvent, mayMark: boolean): void {
    if (!this.#editor.ready) return;
    const at = this.#at(event);
    this.#down.set(event.pointerId, at);
    this.#frame.setPointerCapture(event.pointerId);
    this.#editor.byKeys = false;
    if (this.#down.size === 2) return this.#beginPinch();
    if (this.#down.size > 2) return;
    this.#start = at;
    this.#last = at;
    this.#doing = mayMark ? this.#begin(event, toPicture(this.#editor.view, at)) : 'pan';
  }

  #begin(event: PointerEvent, point: [number, number]): Doing {
    const editor = this.#editor;
    if (event.button === 1 || this.spaced) return 'pan';
    if (event.button !== 0) return null;
    if (editor.tool === 'brush' || editor.tool === 'eraser') {
      editor.down(point);
      return editor.stroke ? 'stroke' : null;
    }
    if (editor.tool === 'polygon') return 'press';
    // A selected mark can be moved with any tool that does not paint; a press elsewhere begins something new.
    if (editor.corners.length === 0 && this.#gripped(point)) return 'move';
    if (editor.tool === 'box') {
      if (editor.corners.length === 0) editor.select(null);
      editor.corner(point);
      return editor.corners.length === 1 ? 'box' : null;
    }
    editor.selectAt(point);
    if (editor.selected !== null && this.#gripped(point)) return 'move';
    return 'pan';
  }

  #gripped(point: [number, number]): boolean {
    const editor = this.#editor;
    return editor.chosen !== undefined && editor.touches(point) && editor.grip(point);
  }

  move(event: PointerEvent): void {
    const editor = this.#editor;
    if (!editor.ready) return;
    const at = this.#at(event);
    if (!this.#down.has(event.pointerId)) {
      if (editor.corners.length > 0 && !editor.byKeys) editor.toward = toPicture(editor.view, at);
      return;
    }
    const before = this.#down.get(event.pointerId) ?? at;
    this.#down.set(event.pointerId, at);
    if (this.#pinched) return this.#pinch(event.pointerId, before, at);
    if (this.#doing === 'pan') editor.pan(at[0] - this.#last[0], at[1] - this.#last[1]);
    else if (this.#doing === 'stroke') this.#paint(event);
    else if (this.#doing === 'move') {
      if (this.#wandered(at)) editor.drag(toPicture(editor.view, at), this.#way(at));
    } else if (editor.corners.length > 0) editor.toward = toPicture(editor.view, at);
    this.#last = at;
  }

  /** A quick hand moves further than one event a frame tells. */
  #paint(event: PointerEvent): void {
    const all = event.getCoalescedEvents?.() ?? [];
    for (const one of all.length > 0 ? all : [event]) this.#editor.paint(toPicture(this.#editor.view, this.#at(one)));
  }

  up(event: PointerEvent): void {
    if (!this.#down.delete(event.pointerId)) return;
    const editor = this.#editor;
    const at = this.#at(event);
    if (this.#pinched) {
      if (this.#down.size === 0) this.#pinched = false;
      return;
    }
    if (this.#doing === 'stroke') editor.lift();
    else if (this.#doing === 'move') editor.letGo();
    else if (this.#doing === 'press' && !this.#wandered(at)) editor.corner(toPicture(editor.view, at));
    // A drag draws the box at once; a press waits for the other corner.
    else if (this.#doing === 'box' && this.#wandered(at)) editor.corner(toPicture(editor.view, at));
    this.#doing = null;
  }

  cancel(event: PointerEvent): void {
    this.#down.delete(event.pointerId);
    if (this.#doing === 'stroke' || this.#doing === 'box') this.#editor.escape();
    this.#editor.letGo();
    this.#doing = null;
    if (this.#down.size === 0) this.#pinched = false;
  }

  wheel(event: WheelEvent): void {
    if (!this.#editor.ready) return;
    event.preventDefault();
    const lines = event.deltaMode === 1 ? 16 : 1;
    // A pinch on a touch pad comes as a wheel with Ctrl, in small steps.
    const by = Math.exp((-event.deltaY * lines) / (event.ctrlKey ? 120 : 420));
    this.#editor.zoom(by, this.#at(event));
  }

  /** The second finger takes back what the first began. */
  #beginPinch(): void {
    if (this.#doing === 'stroke' || this.#doing === 'box') this.#editor.escape();
    this.#editor.letGo();
    this.#doing = null;
    this.#pinched = true;
  }

  #pinch(id: number, before: Point, at: Point): void {
    const other = [...this.#down].find(([one]) => one !== id)?.[1];
    if (!other) return;
    const middle: Point = [(at[0] + other[0]) / 2, (at[1] + other[1]) / 2];
    const gap = (a: Point): number => Math.max(20, Math.hypot(a[0] - other[0], a[1] - other[1]));
    this.#editor.zoom(gap(at) / gap(before), middle);
    this.#editor.pan((at[0] - before[0]) / 2, (at[1] - before[1]) / 2);
  }

  #wandered([x, y]: Point): boolean {
    return Math.hypot(x - this.#start[0], y - this.#start[1]) > STILL;
  }

  #way([x, y]: Point): Point {
    const { scale } = this.#editor.view;
    return [(x - this.#start[0]) / scale, (y - this.#start[1]) / scale];
  }

  #at({ clientX, clientY }: { clientX: number; clientY: number }): Point {
    const { left, top } = this.#frame.getBoundingClientRect();
    return [clientX - left, clientY - top];
  }
}
