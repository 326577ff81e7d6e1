import { createHash } from 'node:crypto';
import { readdirSync, readFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';

const KERNELS = new URL('../src/kernels/', import.meta.url);

const names = readdirSync(new URL('assembly', KERNELS))
  .filter((name) => name.endsWith('.ts'))
  .map((name) => name.replace(/\.ts$/, ''));

interface Committed {
  readonly SOURCE_SHA256: string;
  readonly WASM: string;
}

describe.each(names)('the kernel %s', (name) => {
  const committed = import(new URL(`${name}.wasm.ts`, KERNELS).href) as Promise<Committed>;

  test('was made from its source: if not, `npm run kernels`', async () => {
    const source = readFileSync(new URL(`assembly/${name}.ts`, KERNELS));
    expect(createHash('sha256').update(source).digest('hex')).toBe((await committed).SOURCE_SHA256);
  });

  test('is WebAssembly', async () => {
    const bytes = Buffer.from((await committed).WASM, 'base64');
    expect(() => new WebAssembly.Module(bytes)).not.toThrow();
  });
});
