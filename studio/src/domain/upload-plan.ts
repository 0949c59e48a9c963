// What to upload, under which name, in which pieces, and what of it the server already has.

export interface LocalFile {
  /** Path below what was dropped, with `/`. */
  path: string;
  file: Blob;
}

export interface Plan {
  name: string;
  files: LocalFile[];
  bytes: number;
  /** Says whether the same thing is dropped again after an interruption. */
  fingerprint: string;
}

export const CHUNK_BYTES = 8 * 1024 * 1024;

const clutter = /(^|\/)(\.[^/]*|__MACOSX|Thumbs\.db|desktop\.ini|@eaDir)(\/|$)/i;

export function planUpload(given: LocalFile[]): Plan {
  const kept = given.filter((one) => !clutter.test(one.path));
  const top = commonFolder(kept);
  const files = top === null ? kept : kept.map((one) => ({ ...one, path: one.path.slice(top.length + 1) }));
  const bytes = files.reduce((sum, one) => sum + one.file.size, 0);
  const first = files[0];
  const name = top ?? (first ? withoutEnding(lastPart(first.path)) : '');
  return { name, files, bytes, fingerprint: `${name}|${files.length}|${bytes}|${first?.path ?? ''}` };
}

/** The folder that everything lies in, so that `parts/good/1.jpg` gives a dataset "parts" with the class "good". */
function commonFolder(files: LocalFile[]): string | null {
  const top = files[0]?.path.split('/')[0];
  if (top === undefined || files.some((one) => !one.path.startsWith(`${top}/`))) return null;
  return top;
}

function lastPart(path: string): string {
  return path.slice(path.lastIndexOf('/') + 1);
}

function withoutEnding(name: string): string {
  return name.replace(/\.[^.]{1,8}$/, '') || name;
}

/** Files with the number of bytes the server has of each; those it has whole are left out. */
export function remaining(plan: Plan, there: { path: string; size: number }[]): { file: LocalFile; offset: number }[] {
  const sizes = new Map(there.map((one) => [one.path, one.size]));
  return plan.files.flatMap((file) => {
    const size = sizes.get(file.path);
    if (size === undefined) return [{ file, offset: 0 }];
    return size < file.file.size ? [{ file, offset: size }] : [];
  });
}

/** Seconds left, from what was sent so far; null while it is too early to say. */
export function secondsLeft(sent: number, total: number, elapsedMs: number): number | null {
  if (elapsedMs < 3000 || sent === 0) return null;
  return ((total - sent) / sent) * (elapsedMs / 1000);
}
