import type { Transform } from 'node:stream';
import { setImmediate } from 'node:timers/promises';
import * as zlib from 'node:zlib';
import { DatasetError } from './error.js';
import type { Compression } from './format.js';
import { BLOCK_BYTES, type Chunk } from './jsonl.js';

/** How many chunks of text may wait to be read: enough that neither side waits for the other. */
const CHUNKS_AHEAD = 3;

/**
 * The text of a compressed file, in chunks of about 1 MiB. What comes before a damage is
 * handed out before it is told, but for the last MiB or less.
 *
 * @param name  the file, for messages
 * @throws DatasetError, from the iteration, when the data end too early or are not what they should be
 */
export const decompressedChunks = (
  chunks: AsyncIterable<Chunk>,
  compression: Compression,
  name: string,
): AsyncGenerator<Chunk, void, undefined> => {
  if (compression === 'gzip')
    return throughDecoder(chunks, () => zlib.createGunzip(DECODER_OPTIONS), describeDamage(name, 'gzip'));
  // Since Node 22.15.
  const create = (zlib as { createZstdDecompress?: typeof zlib.createGunzip }).createZstdDecompress;
  return create === undefined
    ? unpackZstd(chunks, describeDamage(name, 'zstd'))
    : throughDecoder(chunks, () => create(DECODER_OPTIONS), describeDamage(name, 'zstd'));
};

/** A decoder with one chunk waiting inside stops working, so that it can be held up by pausing it. */
const DECODER_OPTIONS = { chunkSize: BLOCK_BYTES, readableHighWaterMark: 1 };

type DescribeDamage = (error: Error & { code?: string | number }) => DatasetError;

const describeDamage =
  (name: string, compression: Compression): DescribeDamage =>
  (error) => {
    if (error instanceof DatasetError) return error;
    const [what, hint] = damageOf(error, compression);
    return new DatasetError(`${name}: ${what}; ${hint}`);
  };

const damageOf = (
  { code, message }: Error & { code?: string | number },
  compression: Compression,
): readonly [what: string, hint: string] => {
  if (code === 'Z_BUF_ERROR' || code === UNEXPECTED_END)
    return [`the ${compression} data end too early`, 'the file is cut off, get it again'];
  if (code === WINDOW_TOO_LARGE || code === 'ZSTD_error_frameParameter_windowTooLarge')
    return ['it was compressed with a window that is too large', 'decompress it with zstd -d --long=31'];
  return [
    `not ${compression} data, or damaged: ${message}`,
    `check it with ${compression} -t, and name it without ${compression === 'gzip' ? '.gz' : '.zst'} if it is not compressed`,
  ];
};

/** fzstd's codes. */
const WINDOW_TOO_LARGE = 1;
const UNEXPECTED_END = 5;

/**
 * Reads through a decoder of zlib, which works on a thread of its own. Its output is taken from events and not by iterating
 * the stream, which would forget what was decompressed before an error.
 */
async function* throughDecoder(
  chunks: AsyncIterable<Chunk>,
  create: () => Decoder,
  describe: DescribeDamage,
): AsyncGenerator<Chunk, void, undefined> {
  const unpacker = new Unpacker(create);
  unpacker.feed(chunks).then(
    () => unpacker.finish(),
    (error: Error) => unpacker.finish(error),
  );
  try {
    for (let memory = await unpacker.next(); memory !== undefined; memory = await unpacker.next()) {
      yield { memory, start: 0, end: memory.length };
      // The decoder's thread gets its next work between turns of the event loop.
      await setImmediate();
    }
  } catch (error) {
    throw describe(error as Error);
  } finally {
    unpacker.destroy();
  }
}

type Decoder = Transform & { readonly bytesWritten: number };

/** Feeds decoders, one for each part of the file that ends by itself, and keeps some of their output ready. */
class Unpacker {
  private readonly ready: Buffer[] = [];
  private decoder: Decoder;
  /** Settles when the decoder has ended or was destroyed. */
  private ended = Promise.resolve();
  private hasEnded = false;
  private isOver = false;
  private error: Error | undefined;
  private wake: (() => void) | undefined;

  constructor(private readonly create: () => Decoder) {
    this.decoder = this.begin();
  }

  /** The next of the text; undefined at its end. */
  async next(): Promise<Buffer | undefined> {
    while (this.ready.length === 0 && !this.isOver)
      await new Promise<void>((resolve) => (this.wake = resolve));
    const bytes = this.ready.shift();
    if (this.decoder.isPaused()) this.decoder.resume();
    if (bytes === undefined && this.error !== undefined) throw this.error;
    return bytes;
  }

  finish(error?: Error): void {
    this.isOver = true;
    this.error ??= error;
    this.wake?.();
  }

  destroy(): void {
    this.isOver = true;
    this.decoder.destroy();
  }

  /** Gives the decoder all chunks, one at a time. */
  async feed(chunks: AsyncIterable<Chunk>): Promise<void> {
    for await (const { memory, start, end } of chunks) {
      let rest = memory.subarray(start, end);
      while (rest.length > 0) {
        // Behind the end of a part comes the next one. Tapes and some disks fill up with zeros.
        if (this.hasEnded) rest = withoutZeros(rest);
        if (rest.length === 0) break;
        if (this.hasEnded) this.decoder = this.begin();
        rest = await this.write(rest);
        if (this.isOver) return;
      }
    }
    this.decoder.end();
    await this.ended;
  }

  /** Gives the decoder some bytes; returns those it did not want because its part has ended. */
  private async write(bytes: Buffer): Promise<Buffer> {
    const { decoder, ended } = this;
    const before = decoder.bytesWritten;
    const written = new Promise<void>((resolve) => decoder.write(bytes, () => resolve()));
    // A decoder that has ended does not answer.
    await Promise.race([written, ended]);
    return bytes.subarray(this.hasEnded ? decoder.bytesWritten - before : bytes.length);
  }

  private begin(): Decoder {
    const decoder = this.create();
    this.hasEnded = false;
    this.ended = new Promise((resolve) => {
      const end = () => {
        this.hasEnded = true;
        resolve();
      };
      decoder.once('end', end).once('close', end);
    });
    decoder.on('error', (error) => this.finish(error));
    decoder.on('data', (bytes: Buffer) => {
      this.ready.push(bytes);
      if (this.ready.length >= CHUNKS_AHEAD) decoder.pause();
      this.wake?.();
    });
    return decoder;
  }
}

const withoutZeros = (bytes: Buffer): Buffer => {
  const first = bytes.findIndex((byte) => byte !== 0);
  return first === -1 ? bytes.subarray(bytes.length) : bytes.subarray(first);
};

/** What fzstd is given at once; a byte of it can become many thousands. */
const ZSTD_PIECE_BYTES = 1 << 14;

/** Zstandard where Node cannot do it: slower, and on this thread. */
async function* unpackZstd(
  chunks: AsyncIterable<Chunk>,
  describe: DescribeDamage,
): AsyncGenerator<Chunk, void, undefined> {
  const { Decompress } = await import('fzstd');
  const unpacked: { pieces: Uint8Array[]; bytes: number; failure?: Error } = { pieces: [], bytes: 0 };
  const decoder = new Decompress((bytes) => {
    unpacked.pieces.push(bytes);
    unpacked.bytes += bytes.length;
  });
  const push = (bytes: Uint8Array, final: boolean) => {
    try {
      decoder.push(bytes, final);
    } catch (error) {
      unpacked.failure = error as Error;
    }
  };
  const take = (): Chunk => {
    const memory = Buffer.concat(unpacked.pieces.splice(0));
    unpacked.bytes = 0;
    return { memory, start: 0, end: memory.length };
  };
  for await (const { memory, start, end } of chunks) {
    for (let at = start; at < end && unpacked.failure === undefined; at += ZSTD_PIECE_BYTES) {
      // A copy: what is not used yet is kept, and the memory is used again.
      push(new Uint8Array(memory.subarray(at, Math.min(end, at + ZSTD_PIECE_BYTES))), false);
      if (unpacked.bytes >= BLOCK_BYTES) yield take();
    }
    if (unpacked.failure !== undefined) break;
  }
  if (unpacked.failure === undefined) push(new Uint8Array(0), true);
  if (unpacked.bytes > 0) yield take();
  if (unpacked.failure !== undefined) throw describe(unpacked.failure);
}
