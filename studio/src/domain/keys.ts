// Keys of the keyboard, and which of them stands for which class.

interface Pressed {
  key: string;
  ctrlKey: boolean;
  metaKey: boolean;
  altKey: boolean;
  shiftKey: boolean;
}

/** One name for a key press: `a`, `?`, `Space`, `Mod+z`, `Shift+ArrowLeft`. Mod is Ctrl, or Command on a Mac. */
export function keyOf(event: Pressed): string {
  const plain = event.key === ' ' ? 'Space' : event.key.length === 1 ? event.key.toLowerCase() : event.key;
  const mod = event.ctrlKey || event.metaKey ? 'Mod+' : '';
  const alt = event.altKey ? 'Alt+' : '';
  // Shift is part of what a printable key types, such as ?, so it only counts for the others.
  const shift = event.shiftKey && (event.key.length > 1 || mod !== '') ? 'Shift+' : '';
  return mod + alt + shift + plain;
}

/** Whether keys go into a field, so that single letters are not shortcuts. */
export function isTyping(target: EventTarget | null): boolean {
  if (!(target instanceof HTMLElement)) return false;
  if (target instanceof HTMLInputElement) return !['checkbox', 'radio', 'button', 'file', 'submit'].includes(target.type);
  // A sound player has its own meaning for Space and the arrows.
  return target instanceof HTMLMediaElement || target instanceof HTMLTextAreaElement || target instanceof HTMLSelectElement || target.isContentEditable;
}

/**
 * Letters that stand for no class, because some page where classes are given needs them itself: one list, so that a class
 * has the same key on all of them. F, L, V, B: the map and its tools; M, V, B, P, R, E, F, W, Y, X, K, L: marking; O, J, T: what others marked; N finds a
 * class, H opens the book, X selects, P plays, Y, K, R decide.
 */
export const RESERVED = ['b', 'e', 'f', 'h', 'j', 'k', 'l', 'm', 'n', 'o', 'p', 'r', 't', 'v', 'w', 'x', 'y'] as const;

/** The keys that stand for classes, in order: 1-9, then letters, without those the page needs itself. */
export function classKeys(reserved: readonly string[]): string[] {
  return [...'123456789abcdefghijklmnopqrstuvwxyz'].filter((key) => !reserved.includes(key));
}

/** How a key is written for people. */
export function keyName(key: string, space: string): string {
  const names: Record<string, string> = {
    Space: space, ArrowRight: '→', ArrowLeft: '←', ArrowUp: '↑', ArrowDown: '↓',
    Enter: '↵', Backspace: '⌫', Escape: 'Esc', Delete: 'Del', Mod: 'Ctrl', Shift: '⇧',
  };
  // The key + itself is no sign between two.
  return key
    .split(/(?<=.)\+/)
    .map((part) => names[part] ?? part.toUpperCase())
    .join(' ');
}
