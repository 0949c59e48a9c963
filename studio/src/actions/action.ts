// An action is one thing a person can do: its name, its keys, what it does and how it is taken back.

import { t, type PlainKey } from '../i18n';

export interface Action<Context> {
  title: PlainKey;
  keys: readonly string[];
  /** Keys with Shift and the like, which the title tells and the help does not list. */
  more?: readonly string[];
  /** Whether it makes sense now; always when missing. `key` is the one that was pressed, if one was. */
  ready?: (context: Context, key?: string) => boolean;
  /** `key` is the one that was pressed, of those above. */
  run: (context: Context, key: string) => void | Promise<void>;
  undo?: (context: Context) => void | Promise<void>;
}

/** An action together with what it acts on, for the keyboard and the help. */
export interface Bound {
  title: () => string;
  keys: readonly string[];
  more?: readonly string[];
  ready: (key?: string) => boolean;
  run: (key: string) => void;
  whileTyping?: boolean;
}

export function bind<Context>(action: Action<Context>, context: Context): Bound {
  return {
    title: () => t(action.title),
    keys: action.keys,
    more: action.more,
    ready: (key) => action.ready?.(context, key) ?? true,
    run: (key) => void action.run(context, key),
  };
}
