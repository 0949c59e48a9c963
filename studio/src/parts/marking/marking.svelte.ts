// Whether an example is being marked, and the editor for it: shared by the labelling page and the gallery.

import type { Example, Modality } from '../../api/types';
import { canBeMarked } from '../../domain/content';
import type { Outbox } from '../../domain/outbox';
import { locale } from '../../i18n';
import { MarkEditor } from './editor.svelte';
import { MarkKeeper, type Told } from './keeper';
import { PictureEditor, type Tool } from './picture.svelte';
import { SoundEditor } from './sound.svelte';
import { TextEditor } from './text.svelte';

export class Marking {
  editor = $state.raw<MarkEditor | null>(null);
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
    if (example && this.editor?.example.id === example.id && this.editor.kept === example.marks) return;
    this.leave(null);
    this.editor = example && canBeMarked(modality) ? this.#made(example, modality) : null;
    this.on = this.editor !== null && (this.wanted ?? (usual || (example?.marks.length ?? 0) > 0));
  }

  #made(example: Example, modality: Modality | null): MarkEditor {
    const editor =
      modality === 'text' ? new TextEditor(example, this.#drawing, locale())
      : modality === 'sound' ? new SoundEditor(example, this.#drawing)
      : new PictureEditor(example, this.#drawing, example.marks.length > 0 && this.#tool === 'box' ? 'select' : this.#tool);
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
