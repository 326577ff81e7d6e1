import type { MessagePort } from 'node:worker_threads';
import { DatasetError } from '../dataset/error.js';
import type { ReadyGrader } from '../engine.js';
import type { ClaimPiece } from './piece.js';
import { Pipeline } from './pipeline.js';
import { SharedPlaces, type PieceMessage, type WorkerMessage, type WorkerSetup } from './protocol.js';
import { RowSelection } from './select.js';

/**
 * The life of a worker thread: it prepares the grader, then grades the pieces it is sent.
 *
 * @param prepare  prepares a grader in this thread, from what it was prepared from in the main one
 */
export const serveWorker = async (
  port: MessagePort,
  setup: WorkerSetup,
  prepare: (origin: WorkerSetup['origin']) => Promise<ReadyGrader>,
): Promise<void> => {
  const answer = (message: WorkerMessage, memory?: ArrayBuffer) =>
    port.postMessage(message, memory === undefined ? [] : [memory]);
  const grader = await prepare(setup.origin);
  const { shape, keep, select } = setup;
  const pipeline = new Pipeline({
    grader,
    shape,
    keep,
    selection: new RowSelection(select),
    filters: select.filter !== undefined,
    concurrency: 1,
    files: setup.files,
  });
  const places = new SharedPlaces(setup.places);
  const gradePiece = async ({ number, piece }: PieceMessage): Promise<void> => {
    const claim: ClaimPiece = (first, rows, lines) => {
      const { row, line } = places.take(number);
      const start = first ? 1 : line;
      places.leave(number + 1, row + rows, start + lines);
      return { row, line: start };
    };
    for await (const graded of pipeline.grade(only(received(piece)), claim)) {
      // A copy of its own, which the other thread gets without a further one.
      const lines = new Uint8Array(graded.lines);
      answer({ kind: 'graded', number, graded: { ...graded, lines: lines as Buffer } }, lines.buffer);
    }
    answer({ kind: 'finished', number });
  };
  let work = Promise.resolve();
  port.on('message', (message: PieceMessage) => {
    work = work.then(() => gradePiece(message)).catch((error: Error) => answer(brokenBy(error)));
  });
  answer({ kind: 'ready' });
};

async function* only(piece: PieceMessage['piece']): AsyncGenerator<PieceMessage['piece'], void, undefined> {
  yield piece;
}

/** Buffers arrive as plain arrays of bytes. */
const received = (piece: PieceMessage['piece']): PieceMessage['piece'] => {
  if (!('block' in piece)) return piece;
  const { buffer, byteOffset, byteLength } = piece.block.bytes;
  return { ...piece, block: { ...piece.block, bytes: Buffer.from(buffer, byteOffset, byteLength) } };
};

const brokenBy = (error: Error): WorkerMessage => ({
  kind: 'broken',
  dataset: error instanceof DatasetError,
  message: error instanceof DatasetError ? error.message : (error.stack ?? error.message),
});
