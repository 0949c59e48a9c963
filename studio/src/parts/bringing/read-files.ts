// Files out of what was dropped or chosen, with their paths; folders are walked to the bottom.

import type { LocalFile } from '../../domain/upload-plan';

/** Begins to look through what was given, and says how many files it found so far. */
export type Reading = (found: (n: number) => void) => Promise<LocalFile[]>;

/** Must be called while the drop event is still being handled: the browser empties the list afterwards. */
export async function readDrop(transfer: DataTransfer, found: (n: number) => void): Promise<LocalFile[]> {
  const entries = [...transfer.items].filter((item) => item.kind === 'file').map((item) => item.webkitGetAsEntry());
  const loose = [...transfer.files];
  const result: LocalFile[] = [];
  if (!entries.some((entry) => entry !== null)) return loose.map((file) => ({ path: file.name, file }));
  for (const entry of entries) if (entry) await walk(entry, result, found);
  return result;
}

async function walk(top: FileSystemEntry, result: LocalFile[], found: (n: number) => void): Promise<void> {
  const open: FileSystemEntry[] = [top];
  for (let entry = open.pop(); entry; entry = open.pop()) {
    if (entry.isDirectory) open.push(...(await children(entry as FileSystemDirectoryEntry)));
    else {
      const file = await fileOf(entry as FileSystemFileEntry);
      result.push({ path: entry.fullPath.replace(/^\//, ''), file });
      if (result.length % 100 === 0) found(result.length);
    }
  }
}

async function children(folder: FileSystemDirectoryEntry): Promise<FileSystemEntry[]> {
  const reader = folder.createReader();
  const all: FileSystemEntry[] = [];
  // One call gives at most a hundred; an empty answer is the end.
  for (;;) {
    const some = await new Promise<FileSystemEntry[]>((resolve, reject) => reader.readEntries(resolve, reject));
    if (some.length === 0) return all.sort((a, b) => (a.name < b.name ? 1 : -1));
    all.push(...some);
  }
}

function fileOf(entry: FileSystemFileEntry): Promise<File> {
  return new Promise((resolve, reject) => entry.file(resolve, reject));
}

export function readChosen(files: FileList | null): LocalFile[] {
  return [...(files ?? [])].map((file) => ({ path: file.webkitRelativePath || file.name, file }));
}
