// The picture that is marked, as it is seen: how large it is, and which part of it fills the frame.

import type { Example } from '../../api/types';
import type { Size } from '../../domain/runs';
import { fitted, following, panned, toScreen, zoomed, type Point, type View } from '../../domain/view';
import { MarkEditor } from './editor.svelte';

/** How far beside a mark still counts, in screen pixels; a finger is less exact. */
const REACH = 8;

export class ViewedPicture extends MarkEditor {
  size = $state.raw<Size>({ width: 0, height: 0 });
  frame = $state.raw<Size>({ width: 0, height: 0 });
  view = $state.raw<View>({ scale: 1, x: 0, y: 0 });
  /** The keyboard's place; shown once an arrow was pressed. */
  cross = $state.raw<Point>([0, 0]);
  byKeys = $state(false);
  /** Of the brush, in pixels of the picture. */
  radius = $state(8);
  #moved = false;

  constructor(example: Example, drawing: string | null) {
    super(example, drawing);
    if (example.width && example.height) this.sized({ width: example.width, height: example.height });
  }

  /** How large the picture is; the server knows best, as it turns pictures upright. */
  sized(size: Size): void {
    if (this.ready || size.width === 0) return;
    this.size = size;
    this.cross = [size.width / 2, size.height / 2];
    this.radius = Math.max(1.5, Math.round(Math.max(size.width, size.height) / 120));
    this.fit();
  }

  framed(frame: Size): void {
    this.frame = frame;
    if (!this.#moved) this.fit();
  }

  get ready(): boolean {
    return this.size.width > 0;
  }

  /** In pixels of the picture. */
  get reach(): number {
    return REACH / this.view.scale;
  }

  fit(): void {
    this.#moved = false;
    if (this.ready && this.frame.width > 0) this.view = fitted(this.size, this.frame);
  }

  zoom(by: number, at: Point = [this.frame.width / 2, this.frame.height / 2]): void {
    this.#moved = true;
    this.view = zoomed(this.view, by, at, this.size, this.frame);
  }

  /** Around the crosshair, or the middle of what is seen. */
  zoomHere(by: number): void {
    this.zoom(by, this.byKeys ? toScreen(this.view, this.cross) : undefined);
  }

  pan(dx: number, dy: number): void {
    this.#moved = true;
    this.view = panned(this.view, dx, dy, this.size, this.frame);
  }

  protected follow(point: Point): void {
    const view = following(this.view, point, this.size, this.frame);
    if (view !== this.view) this.#moved = true;
    this.view = view;
  }
}
