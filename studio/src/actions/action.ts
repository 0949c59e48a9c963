// An action is one thing a person can do: its name, its keys, what it does and how it is taken back.

import { t, type PlainKey } from '../i18n';

export interface Action<Context> {
  title: PlainKey;
  keys: readonly string[];
  /** Whether it makes sense now; always when missing. */
  ready?: (context: Context) => boolean;
  run: (context: Context) => void | Promise<void>;
  undo?: (context: Context) => void | Promise<void>;
}

/** An action together with what it acts on, for the keyboard and the help. */
export interface Bound {
  title: () => string;
  keys: readonly string[];
  ready: () => boolean;
  run: () => void;
  whileTyping?: boolean;
}

export function bind<Context>(action: Action<Context>, context: Context): Bound {
  return {
    title: () => t(action.title),
    keys: action.keys,
    ready: () => action.ready?.(context) ?? true,
    run: () => void action.run(context),
  };
}
