// Lines to copy into a terminal.

import type { Modality } from '../api/types';

export function curlFor(modality: Modality, address: string, token: string): string {
  const head = `curl ${quote(address)} \\\n  -H ${quote(`Authorization: Bearer ${token}`)} \\\n  `;
  if (modality === 'text') {
    return `${head}-H 'Content-Type: application/json' \\\n  -d ${quote(JSON.stringify({ inputs: [{ text: 'where is my card' }] }))}`;
  }
  return `${head}-F file=@${modality === 'sound' ? 'sound.wav' : 'photo.jpg'}`;
}

/** Single quotes keep everything as it is in a POSIX shell, apart from themselves. */
export function quote(text: string): string {
  return `'${text.replaceAll("'", `'\\''`)}'`;
}
