// Sends the pieces of one file in order, going on from where the server is.

import { CHUNK_BYTES } from './upload-plan';

export interface Sent {
  size: number;
}

export interface FileSender {
  /** Puts these bytes at this offset. Throws what `serverSize` understands when the server is elsewhere. */
  put: (path: string, offset: number, bytes: Blob) => Promise<Sent>;
  /** How many bytes the server has, if that is what this error says. */
  serverSize: (error: unknown) => number | null;
  progress: (bytes: number) => void;
}

export async function sendFile(path: string, file: Blob, from: number, sender: FileSender): Promise<void> {
  let offset = from;
  let corrections = 0;
  // An empty file is sent too, as one empty piece: the server then says what is wrong with it.
  do {
    const piece = file.slice(offset, offset + CHUNK_BYTES);
    try {
      const { size } = await sender.put(path, offset, piece);
      sender.progress(size - offset);
      offset = size;
    } catch (error) {
      const size = sender.serverSize(error);
      // A server that keeps disagreeing is broken; do not ask it for ever.
      if (size === null || corrections >= 3) throw error;
      corrections += 1;
      sender.progress(size - offset);
      offset = size;
    }
  } while (offset < file.size);
}
