// One sound at a time, wherever its play button is.

import { examples } from '../api/calls';

class Player {
  playing = $state<string | null>(null);
  #audio: HTMLAudioElement | null = null;

  toggle(id: string): void {
    if (this.playing === id) this.stop();
    else this.#start(id);
  }

  stop(): void {
    this.#audio?.pause();
    this.playing = null;
  }

  #start(id: string): void {
    this.#audio?.pause();
    const audio = new Audio(examples.contentUrl(id));
    this.#audio = audio;
    this.playing = id;
    const over = (): void => {
      if (this.#audio === audio) this.playing = null;
    };
    audio.addEventListener('ended', over);
    audio.addEventListener('error', over);
    audio.play().catch(over);
  }
}

export const player = new Player();
