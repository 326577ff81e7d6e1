/** A zstd frame with the text as it is: what every decompressor reads and Node 20 cannot make. */
export const zstdFrame = (text: Buffer): Buffer => {
  // Magic number; one segment, whose size has four bytes.
  const header = Buffer.from([0x28, 0xb5, 0x2f, 0xfd, 0xa0, 0, 0, 0, 0]);
  header.writeUInt32LE(text.length, 5);
  const pieces: Buffer[] = [header];
  const size = 1 << 17;
  for (let at = 0; at < text.length || at === 0; at += size) {
    const block = text.subarray(at, at + size);
    const blockHeader = Buffer.alloc(3);
    blockHeader.writeUIntLE((block.length << 3) | (at + size >= text.length ? 1 : 0), 0, 3);
    pieces.push(blockHeader, block);
  }
  return Buffer.concat(pieces);
};
