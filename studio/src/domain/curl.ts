// Lines to copy into a terminal.

import type { Modality, Sense } from '../api/types';

const FILES: Record<Exclude<Modality, 'text' | 'senses'>, string> = { image: 'photo.jpg', sound: 'sound.wav', video: 'clip.mp4', series: 'trace.csv' };

export function curlFor(modality: Modality, address: string, token: string, senses: readonly Sense[] = []): string {
  const head = `curl ${quote(address)} \\\n  -H ${quote(`Authorization: Bearer ${token}`)} \\\n  `;
  if (modality === 'text') {
    return `${head}-H 'Content-Type: application/json' \\\n  -d ${quote(JSON.stringify({ inputs: [{ text: 'where is my card' }] }))}`;
  }
  if (modality === 'senses') return head + senses.map((sense) => `-F ${quote(`${sense.name}=${sample(sense.modality)}`)}`).join(' \\\n  ');
  return `${head}-F file=@${FILES[modality]}`;
}

function sample(modality: Modality): string {
  return modality === 'text' || modality === 'senses' ? '…' : `@${FILES[modality]}`;
}

/** Single quotes keep everything as it is in a POSIX shell, apart from themselves. */
export function quote(text: string): string {
  return `'${text.replaceAll("'", `'\\''`)}'`;
}
