// The pictures of what comes next, fetched and decoded before they are needed.

import { examples } from '../../api/calls';
import type { Example, Modality } from '../../api/types';
import { hasPicture } from '../../domain/content';

const AHEAD = 4;

export class Ahead {
  /** Kept so that the browser does not drop them. */
  #pictures: HTMLImageElement[] = [];

  fetch(queue: readonly Example[], modality: Modality | null): void {
    const ahead = queue.slice(0, AHEAD).filter((example) => hasPicture(example, modality));
    const address = (id: string): string => (modality === 'image' ? examples.contentUrl(id) : examples.thumbnailUrl(id));
    const wanted = ahead.map((example) => new URL(address(example.id), location.href).href);
    this.#pictures = wanted.map((src) => {
      const held = this.#pictures.find((picture) => picture.src === src);
      if (held) return held;
      const picture = new Image();
      picture.src = src;
      // Decoded ahead as well: a large photo takes longer to decode than to arrive.
      picture.decode().catch(() => {});
      return picture;
    });
  }
}
