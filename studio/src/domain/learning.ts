// Learning curves: what more labels would bring, read off the points that the server fitted.

import type { Curve, CurvePoint, Estimate } from '../api/types';

/** The accuracy expected with `n` labels: between two points in a straight line, at the ends what stands there. Null without points. */
export function expectedAt(points: readonly CurvePoint[], n: number): Estimate | null {
  const after = points.findIndex((point) => point.n_labels >= n);
  const [left, right] = after === -1 ? [points.at(-1), points.at(-1)] : [points[Math.max(0, after - 1)], points[after]];
  if (!left || !right) return null;
  const span = right.n_labels - left.n_labels;
  const share = span > 0 ? Math.min(1, Math.max(0, (n - left.n_labels) / span)) : 1;
  const mix = (of: 'value' | 'low' | 'high'): number => left.accuracy[of] + share * (right.accuracy[of] - left.accuracy[of]);
  return { value: mix('value'), low: mix('low'), high: mix('high'), n };
}

/** The share of the accuracy expected with twice as many labels that these reach, with the ends of the band; null where the curve does not go so far. */
export function reached({ expected, n_labels }: Curve): Estimate | null {
  const [now, twice] = [expectedAt(expected, n_labels), expectedAt(expected, 2 * n_labels)];
  const furthest = expected.at(-1)?.n_labels ?? 0;
  if (!now || !twice || furthest < 2 * n_labels || twice.low <= 0) return null;
  return { value: Math.min(1, now.value / twice.value), low: Math.min(1, now.value / twice.high), high: Math.min(1, now.value / twice.low), n: n_labels };
}

/** Whether so many labels would bring more than the curve can tell: all of their band lies above what is expected now. */
export function brings(curve: Curve, n: number): boolean {
  const [now, then] = [expectedAt(curve.expected, curve.n_labels), expectedAt(curve.expected, n)];
  return now !== null && then !== null && then.low > now.value;
}
