// Marking a sound: the play head, and segments with a start and an end.

import type { SuggestedMark } from '../../api/types';
import { clock, edgeTo, movedTo, segmentBetween, SHORTEST, type Segment } from '../../domain/segments';
import { t } from '../../i18n';
import { MarkEditor } from './editor.svelte';

export class SoundEditor extends MarkEditor {
  /** Known when the sound has arrived. */
  seconds = $state(0);
  /** Where it plays, or would. */
  head = $state(0);
  playing = $state(false);
  /** A start that waits for its end. */
  begun = $state<number | null>(null);
  /** Times as wide as the frame. */
  zoom = $state(1);
  audio: HTMLAudioElement | null = null;
  #until: number | null = null;

  get segment(): Segment | null {
    return this.chosen?.shape === 'segment' ? this.chosen : null;
  }

  /** Start and end of what is drawn and not finished. */
  get draft(): { start: number; end: number } | null {
    return this.begun === null ? null : { start: Math.min(this.begun, this.head), end: Math.max(this.begun, this.head) };
  }

  seek(to: number): void {
    this.head = Math.max(0, Math.min(this.seconds, to));
    if (this.audio) this.audio.currentTime = this.head;
    this.#until = null;
  }

  toggle(): void {
    this.#until = null;
    if (this.audio?.paused) this.audio.play().catch(() => {});
    else this.audio?.pause();
  }

  /** What is played alone: the selected segment, else the one that is suggested next. */
  get playable(): Segment | null {
    return this.segment ?? (this.offers.next?.mark as Segment | undefined) ?? null;
  }

  /** It alone, from its start. */
  playSegment(): void {
    const { audio, playable } = this;
    if (!audio || !playable) return;
    this.seek(playable.start);
    this.#until = playable.end;
    audio.play().catch(() => {});
  }

  /** Follows the sound while it plays. */
  tick(): void {
    const { audio } = this;
    if (!audio) return;
    this.head = audio.currentTime;
    if (this.#until !== null && this.head >= this.#until) {
      audio.pause();
      this.#until = null;
    }
  }

  /** The start of the selected segment, or of a new one, is here. */
  startHere(): void {
    const { segment, selected } = this;
    if (segment && selected !== null) this.replace(selected, edgeTo(segment, 'start', this.head, this.seconds));
    else this.begun = this.head;
    this.announced = t('marks.sound.start.at', { time: clock(this.head) });
  }

  endHere(): void {
    const { segment, selected } = this;
    if (this.begun !== null) this.between(this.begun, this.head);
    else if (segment && selected !== null) this.replace(selected, edgeTo(segment, 'end', this.head, this.seconds));
    this.announced = t('marks.sound.end.at', { time: clock(this.head) });
  }

  between(a: number, b: number): void {
    this.begun = null;
    const mark = segmentBetween(a, b, this.seconds, this.drawing);
    if (mark.end - mark.start >= SHORTEST) this.add(mark);
  }

  override told(offer: SuggestedMark): string {
    const { start, end } = offer.mark as Segment;
    return t('marks.offers.between', { name: super.told(offer), start: clock(start), end: clock(end) });
  }

  /** While an edge or the whole of it is dragged. */
  preview(at: number, edge: 'start' | 'end' | 'all', time: number): void {
    const mark = this.marks[at];
    if (mark?.shape !== 'segment') return;
    const next = edge === 'all' ? movedTo(mark, time, this.seconds) : edgeTo(mark, edge, time, this.seconds);
    this.marks = this.marks.map((one, i) => (i === at ? next : one));
  }

  override select(at: number | null): void {
    super.select(at);
    const { segment } = this;
    if (segment) this.announced = `${segment.class ?? ''} ${clock(segment.start)} – ${clock(segment.end)}`;
  }

  override get leavable(): boolean {
    return super.leavable || this.begun !== null;
  }

  override escape(): void {
    if (this.begun !== null) this.begun = null;
    else super.escape();
  }

  override finish(): void {
    this.audio?.pause();
  }
}
