// States in words.

import type { Happened, Point } from '../../api/types';
import { t } from '../../i18n';

/** What happened at a state; `points` are all of them. */
export function told(event: Happened, points: readonly Point[]): string {
  const name = event.name ?? '';
  switch (event.kind) {
    case 'import':
      return t('history.import', { n: event.n_examples ?? 0 });
    case 'tune':
      return t('history.tune', { name });
    case 'audit':
      return t('history.audit', { n: event.n_findings ?? 0 });
    case 'rename':
      return t('history.rename', { from: event.from ?? '', to: event.to ?? '' });
    case 'name':
      return t('history.called', { name });
    case 'restore':
      return t('history.restored', { state: reached(event.state ?? 0, points) });
    case 'left':
      return t('history.left');
  }
}

/** A state, by what people would know it by. */
export function title(point: Point, points: readonly Point[]): string {
  const first = point.events.find((event) => event.kind === 'name') ?? point.events[0];
  return first ? told(first, points) : t('history.now');
}

/** The state that the data went back to. That they had gone back to that one as well would be a tale without an end. */
function reached(seq: number, points: readonly Point[]): string {
  if (seq === 0) return t('history.beginning');
  const events = points.find((point) => point.seq === seq)?.events.filter((event) => event.kind !== 'restore') ?? [];
  const known = events.find((event) => event.kind === 'name') ?? events[0];
  return known ? told(known, points) : t('history.state', { seq: String(seq) });
}
