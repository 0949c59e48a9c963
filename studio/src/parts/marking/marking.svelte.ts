// Whether an example is being marked, and the editor for it: shared by the labelling page and the gallery.

import type { Example, Modality } from '../../api/types';
import { who } from '../../app/session.svelte';
import { canBeMarked } from '../../domain/content';
import { holdsOthers, marksOf } from '../../domain/markings';
import type { Outbox } from '../../domain/outbox';
import { locale } from '../../i18n';
import { MarkEditor } from './editor.svelte';
import { MarkKeeper, type Told } from './keeper';
import { Others } from './others.svelte';
import { PictureEditor, type Tool } from './picture.svelte';
import { SoundEditor } from './sound.svelte';
import { TextEditor } from './text.svelte';

/** What an example of this kind is marked with. */
export function editorOf(example: Example, modality: Modality | null, drawing: string | null, tool: Tool): MarkEditor {
  if (modality === 'text') return new TextEditor(example, drawing, locale());
  return modality === 'sound' ? new SoundEditor(example, drawing) : new PictureEditor(example, drawing, tool);
}

export class Marking {
  editor = $state.raw<MarkEditor | null>(null);
  /** Where several people mark, and other marks hold than one's own: those, to be looked at. */
  held = $state.raw<MarkEditor | null>(null);
  on = $state(false);
  /** What the person has said with the switch; null: nothing, so it is as the example needs. */
  wanted = $state<boolean | null>(null);
  readonly #keeper: MarkKeeper;
  #drawing: string | null = null;
  #tool: Tool = 'box';

  constructor(outbox: Outbox, told: Told) {
    this.#keeper = new MarkKeeper(outbox, told);
  }

  /** Another example is shown; what was marked on the one before is kept. */
  show(example: Example | undefined, modality: Modality | null, usual: boolean): void {
    if (example && this.editor?.example.id === example.id && this.editor.kept === marksOf(example)) return;
    this.leave(null);
    this.editor = example && canBeMarked(modality) ? this.#made(example, modality) : null;
    this.held = example && this.editor && holdsOthers(example) ? editorOf({ ...example, own_marks: null }, modality, null, 'select') : null;
    this.on = this.editor !== null && (this.wanted ?? (usual || (example !== undefined && marksOf(example).length > 0)));
  }

  #made(example: Example, modality: Modality | null): MarkEditor {
    const tool = marksOf(example).length > 0 && this.#tool === 'box' ? 'select' : this.#tool;
    const editor = editorOf(example, modality, this.#drawing, tool);
    if (example.own_marks && who.may('editor')) editor.others = new Others(example.id, who.session?.person.id ?? null);
    editor.changed = () => this.#keeper.soon(editor);
    return editor;
  }

  /** Sends what is not sent yet; the next example begins with the same tool and class. */
  leave(milliseconds: number | null): void {
    const { editor } = this;
    if (!editor) return;
    editor.finish();
    this.#drawing = editor.drawing;
    if (editor instanceof PictureEditor && editor.tool !== 'select') this.#tool = editor.tool;
    this.#keeper.keep(editor, milliseconds);
  }

  /** Sends what is there so far, as the page may be gone in a moment. */
  save(): void {
    if (this.editor) this.#keeper.keep(this.editor, null);
  }

  toggle(): void {
    if (!this.editor) return;
    this.wanted = !this.on;
    this.on = this.wanted;
    if (!this.on) this.editor?.finish();
  }

  stop(): void {
    this.leave(null);
    this.#keeper.stop();
  }
}
