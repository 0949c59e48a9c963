// In which order the formats are offered that a dataset can be taken out in.

interface Format {
  fits: boolean;
  why: string | null;
}

/** Those that lose nothing first, those that cannot hold it last; otherwise in the order of the server. */
export function inOrder<T extends Format>(formats: readonly T[]): T[] {
  const rank = ({ fits, why }: Format): number => (!fits ? 2 : why === null ? 0 : 1);
  return formats.toSorted((a, b) => rank(a) - rank(b));
}
