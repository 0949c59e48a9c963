import type { Example } from '../api/types';
import type { Action } from './action';

interface Context {
  current: Example | undefined;
  give: (label: string) => void;
  undo: () => Promise<void>;
}

export const acceptSuggestion: Action<Context> = {
  title: 'label.accept',
  keys: ['Enter'],
  ready: ({ current }) => !!current?.suggestion,
  run: (context) => {
    const suggestion = context.current?.suggestion;
    if (suggestion) context.give(suggestion.label);
  },
  undo: (context) => context.undo(),
};
