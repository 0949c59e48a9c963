// Whether the page is dark now: what is drawn pixel by pixel must know its colours.

import { prefs } from '../../app/prefs.svelte';

class Night {
  readonly #system = matchMedia('(prefers-color-scheme: dark)');
  #dark = $state(this.#system.matches);

  constructor() {
    this.#system.addEventListener('change', ({ matches }) => (this.#dark = matches));
  }

  get on(): boolean {
    return prefs.theme === 'dark' || (prefs.theme === 'auto' && this.#dark);
  }
}

export const night = new Night();
