// What this person prefers on this computer: language, theme, size of the pictures, the open book.

import { languages, preferred, type Language } from '../i18n/language';

export type Theme = 'auto' | 'light' | 'dark';
const themes: Theme[] = ['auto', 'light', 'dark'];

function stored(key: string): string | null {
  try {
    return localStorage.getItem(`dianjing.${key}`);
  } catch {
    // Storage may be switched off; the preference then lasts until the page is closed.
    return null;
  }
}

function store(key: string, value: string): void {
  try {
    localStorage.setItem(`dianjing.${key}`, value);
  } catch {
    // As above.
  }
}

class Prefs {
  #language = $state<Language>(languages.find((l) => l === stored('language')) ?? preferred(navigator.languages));
  #theme = $state<Theme>(themes.find((theme) => theme === stored('theme')) ?? 'auto');
  #book = $state(stored('book') === 'open');
  #cell = $state(Number(stored('cell')) || 168);

  get language(): Language {
    return this.#language;
  }
  set language(value: Language) {
    this.#language = value;
    store('language', value);
    this.apply();
  }

  get theme(): Theme {
    return this.#theme;
  }
  nextTheme(): void {
    this.#theme = themes[(themes.indexOf(this.#theme) + 1) % themes.length] ?? 'auto';
    store('theme', this.#theme);
    this.apply();
  }

  /** Width wanted for a picture in the gallery, in CSS pixels. */
  get cell(): number {
    return this.#cell;
  }
  set cell(value: number) {
    this.#cell = value;
    store('cell', String(value));
  }

  /** Whether the label book is open beside the work. */
  get book(): boolean {
    return this.#book;
  }
  set book(open: boolean) {
    this.#book = open;
    store('book', open ? 'open' : 'closed');
  }

  apply(): void {
    document.documentElement.lang = this.#language === 'zh' ? 'zh-CN' : 'en';
    document.documentElement.dataset.theme = this.#theme;
  }
}

export const prefs = new Prefs();
