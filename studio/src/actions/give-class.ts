import type { Bound } from './action';

/** Gives one class with its own key. It is undone like any label. */
export function giveClass(name: string, key: string, run: () => void, ready: () => boolean = () => true): Bound {
  return { title: () => name, keys: key ? [key] : [], ready, run };
}
