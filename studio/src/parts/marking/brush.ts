// A stroke of the brush or the eraser: painted into a mask while the hand moves, and encoded once, when it is lifted.

import type { Mark } from '../../api/types';
import { decode, encode, MOST_RUNS, nMarked, paintLine, type Size } from '../../domain/runs';
import type { Brush } from '../../domain/shapes';
import type { Point } from '../../domain/view';

// The mask of the mark that was painted last: the next stroke mostly goes on with it, and decoding takes a moment.
let held: { of: Brush; mask: Uint8Array } | null = null;

export class Stroke {
  /** The mark that is painted on; null for a new one. */
  readonly onto: number | null;
  readonly value: 0 | 1;
  readonly size: Size;
  /** What the hand passed over, for drawing it meanwhile. */
  readonly path: Point[] = [];
  readonly before: Brush | null;
  readonly #mask: Uint8Array;

  constructor(size: Size, onto: number | null, mark: Mark | undefined, value: 0 | 1) {
    this.size = size;
    this.onto = onto;
    this.value = value;
    this.before = mark?.shape === 'brush' ? mark : null;
    if (!this.before) this.#mask = new Uint8Array(size.width * size.height);
    else if (held?.of === this.before) this.#mask = held.mask.slice();
    else this.#mask = decode(this.before.runs, this.before);
  }

  to(point: Point, radius: number): void {
    paintLine(this.#mask, this.size, this.path.at(-1) ?? point, point, radius, this.value);
    this.path.push(point);
  }

  /** The mark with this stroke; null when nothing of it is left; undefined when it is too ragged to be kept. */
  done(name: string | null): Brush | null | undefined {
    const runs = encode(this.#mask);
    if (runs.length > MOST_RUNS) return undefined;
    if (nMarked(runs) === 0) return null;
    const mark: Brush = { ...this.before, class: this.before?.class ?? name, shape: 'brush', width: this.size.width, height: this.size.height, runs };
    held = { of: mark, mask: this.#mask };
    return mark;
  }
}
