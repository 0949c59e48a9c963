// Which languages there are, and how one is chosen without asking.

export const languages = ['en', 'zh'] as const;
export type Language = (typeof languages)[number];

export function preferred(wanted: readonly string[]): Language {
  for (const tag of wanted) {
    const found = languages.find((language) => tag.toLowerCase().startsWith(language));
    if (found) return found;
  }
  return 'en';
}
