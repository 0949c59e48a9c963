// Made files for the tests: a picture and a sound.

import { deflateSync } from 'node:zlib';

/**
 * A picture with something in it: a gradient, some grain and a bright line; `hot` is warm where the line is, and each `seed` gives another grain.
 * @param {number} width
 * @param {number} height
 */
export function png(width, height, hot = false, seed = 0) {
  const rows = Buffer.alloc((width * 3 + 1) * height);
  for (let y = 0; y < height; y += 1) {
    for (let x = 0; x < width; x += 1) {
      const at = y * (width * 3 + 1) + 1 + x * 3;
      const grain = ((x * 7919 + y * 104729 + seed * (x + 3 * y)) % 13) - 6;
      const line = Math.abs(y - height * 0.4 - (x - width * 0.6) * 0.2) < height / 120 && x > width * 0.55 && x < width * 0.75;
      const spot = hot ? Math.max(0, 1 - Math.hypot(x / width - 0.66, y / height - 0.37) * 5) : 0;
      const base = 96 + (70 * x) / width + (30 * y) / height + grain;
      rows[at] = Math.min(255, (line ? 235 : base) + 140 * spot);
      rows[at + 1] = line ? 235 : base * (1 - 0.5 * spot);
      rows[at + 2] = line ? 225 : (base + 8) * (1 - 0.8 * spot);
    }
  }
  const chunk = (/** @type {string} */ type, /** @type {Buffer} */ data) => {
    const body = Buffer.concat([Buffer.from(type), data]);
    const [length, sum] = [Buffer.alloc(4), Buffer.alloc(4)];
    length.writeUInt32BE(data.length);
    sum.writeUInt32BE(crc(body));
    return Buffer.concat([length, body, sum]);
  };
  const head = Buffer.alloc(13);
  head.writeUInt32BE(width, 0);
  head.writeUInt32BE(height, 4);
  head.set([8, 2, 0, 0, 0], 8);
  return Buffer.concat([Buffer.from([137, 80, 78, 71, 13, 10, 26, 10]), chunk('IHDR', head), chunk('IDAT', deflateSync(rows, { level: 1 })), chunk('IEND', Buffer.alloc(0))]);
}

/** @param {Buffer} bytes */
function crc(bytes) {
  let sum = ~0;
  for (const byte of bytes) {
    sum ^= byte;
    for (let k = 0; k < 8; k += 1) sum = (sum >>> 1) ^ (0xedb88320 & -(sum & 1));
  }
  return ~sum >>> 0;
}

/** Four seconds of a tone that comes and goes. */
export function wave() {
  const rate = 8000;
  const n = rate * 4;
  const bytes = Buffer.alloc(44 + n * 2);
  bytes.write('RIFF', 0);
  bytes.writeUInt32LE(36 + n * 2, 4);
  bytes.write('WAVEfmt ', 8);
  bytes.writeUInt32LE(16, 16);
  bytes.writeUInt16LE(1, 20);
  bytes.writeUInt16LE(1, 22);
  bytes.writeUInt32LE(rate, 24);
  bytes.writeUInt32LE(rate * 2, 28);
  bytes.writeUInt16LE(2, 32);
  bytes.writeUInt16LE(16, 34);
  bytes.write('data', 36);
  bytes.writeUInt32LE(n * 2, 40);
  for (let i = 0; i < n; i += 1) bytes.writeInt16LE(Math.round(8000 * Math.sin(i / 5) * Math.abs(Math.sin(i / 6000))), 44 + i * 2);
  return bytes;
}
