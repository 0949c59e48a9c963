// One listener for all shortcuts. The page, and a dialog over it, each push their actions; the topmost layer wins.
// The lowest is what works everywhere, such as the help.

import type { Bound } from '../actions/action';
import { isTyping, keyOf } from '../domain/keys';

interface Layer {
  actions: () => Bound[];
  /** A dialog: what lies below does not hear the keyboard, but for what works everywhere. */
  alone: boolean;
}

class Keys {
  // Plain, not reactive: pages push their layer within an effect, which must not run again because of it.
  #layers: Layer[] = [];

  constructor() {
    addEventListener('keydown', (event) => this.#pressed(event));
  }

  /** For `$effect(() => keys.use(...))`: the actions hold until the effect ends. */
  use(actions: () => Bound[], alone = false): () => void {
    const layer = { actions, alone };
    this.#layers = [...this.#layers, layer];
    return () => {
      this.#layers = this.#layers.filter((other) => other !== layer);
    };
  }

  /** All that can be pressed now, for the help: what works everywhere first. */
  get current(): Bound[][] {
    return this.#heard.map((layer) => layer.actions()).filter((actions) => actions.length > 0);
  }

  /** The lowest layer, which works everywhere, and those from the topmost dialog on. */
  get #heard(): Layer[] {
    const dialog = this.#layers.findLastIndex((layer) => layer.alone);
    return dialog <= 0 ? this.#layers : [...this.#layers.slice(0, 1), ...this.#layers.slice(dialog)];
  }

  #pressed(event: KeyboardEvent): void {
    if (event.defaultPrevented || event.isComposing) return;
    const key = keyOf(event);
    const typing = isTyping(event.target);
    for (const layer of this.#heard.toReversed()) {
      const action = layer.actions().find((a) => (a.keys.includes(key) || a.more?.includes(key)) && a.ready(key));
      if (action && !(typing && !action.whileTyping) && !pressesControl(event, key)) {
        event.preventDefault();
        action.run(key);
        return;
      }
    }
  }
}

/** Enter and Space on a focused button or link press it, whatever the page would do with them. */
function pressesControl(event: KeyboardEvent, key: string): boolean {
  if (key !== 'Enter' && key !== 'Space') return false;
  const target = event.target;
  return target instanceof Element && target.closest('button, a[href], summary, input, select, [role="option"]') !== null;
}

export const keys = new Keys();
