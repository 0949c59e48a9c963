// Geometry of the charts: accuracy against labels, wrong answers against answers.

import type { LivePoint, TradePoint } from '../api/types';

export interface Box {
  width: number;
  height: number;
}

export interface Scale {
  x: (n: number) => number;
  y: (value: number) => number;
  low: number;
  high: number;
}

/** The axis of a mean error begins at 0 and ends above what is shown, at a number of one digit. */
export function plainScaleOf(points: readonly LivePoint[], chance: number | null, box: Box): Scale {
  const most = Math.max(chance ?? 0, ...points.map((point) => point.accuracy.high));
  const unit = most > 0 ? 10 ** Math.floor(Math.log10(most)) : 1;
  const high = Math.max(1, Math.ceil(most / unit)) * unit;
  return { ...scaleOf(points, null, box), y: (value) => box.height - (value / high) * box.height, low: 0, high };
}

/** The share axis is cut to what is shown, to tenths and never less than one, so that a move of a point can be seen. */
export function scaleOf(points: readonly LivePoint[], chance: number | null, { width, height }: Box): Scale {
  const lows = points.map((point) => point.accuracy.low);
  const highs = points.map((point) => point.accuracy.high);
  const high = Math.max(0.1, Math.min(1, Math.ceil(Math.max(...highs) * 10) / 10));
  const below = Math.floor(Math.min(...lows, chance ?? 1) * 10) / 10;
  const low = high - below < 0.1 ? Math.max(0, round(high - 0.1)) : below;
  const first = points[0]?.n_labelled ?? 0;
  const last = points.at(-1)?.n_labelled ?? 1;
  const span = Math.max(1, last - first);
  return {
    x: (n) => (points.length === 1 ? width / 2 : ((n - first) / span) * width),
    y: (share) => height - ((share - low) / (high - low)) * height,
    low,
    high,
  };
}

export function linePath(points: readonly LivePoint[], { x, y }: Scale): string {
  return points.map((point, i) => `${i === 0 ? 'M' : 'L'}${round(x(point.n_labelled))} ${round(y(point.accuracy.value))}`).join('');
}

/** The band between the ends of the intervals. */
export function bandPath(points: readonly LivePoint[], { x, y }: Scale): string {
  const over = points.map((point) => `${round(x(point.n_labelled))} ${round(y(point.accuracy.high))}`);
  const under = points.toReversed().map((point) => `${round(x(point.n_labelled))} ${round(y(point.accuracy.low))}`);
  return `M${[...over, ...under].join('L')}Z`;
}

/** Share of wrong answers, up to `top`, against the share that is answered. */
export function tradePath(trade: readonly TradePoint[], { width, height }: Box, top: number): string {
  return trade
    .filter((point) => point.answered > 0)
    .toSorted((a, b) => a.answered - b.answered)
    .map((point, i) => `${i === 0 ? 'M' : 'L'}${round(point.answered * width)} ${round(height - (Math.min(point.errors, top) / top) * height)}`)
    .join('');
}

function round(value: number): number {
  return Math.round(value * 10) / 10;
}
