/**
 * Compiles `assembly/*.ts` (AssemblyScript) to `*.wasm.ts`, which are committed: `npm run kernels`.
 * The compiler comes from npm, by this folder's own lockfile.
 */
import { execFileSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync, mkdtempSync, readFileSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

const HERE = import.meta.dirname;
const COMPILER = join(HERE, 'node_modules/assemblyscript/bin/asc.js');
const FLAGS = ['--optimizeLevel', '3', '--shrinkLevel', '0', '--converge', '--noAssert'];
/** Memory is laid out by the kernels' callers, so no runtime is needed. */
const BARE = ['--runtime', 'stub', '--enable', 'simd', '--initialMemory', '1'];

if (!existsSync(COMPILER))
  execFileSync('npm', ['ci', '--ignore-scripts'], { cwd: HERE, stdio: ['ignore', 'ignore', 'inherit'] });

const scratch = mkdtempSync(join(tmpdir(), 'assay-kernels-'));
try {
  for (const file of readdirSync(join(HERE, 'assembly')).filter((name) => name.endsWith('.ts')))
    compile(file);
} finally {
  rmSync(scratch, { recursive: true });
}

function compile(file) {
  const source = join(HERE, 'assembly', file);
  const name = file.replace(/\.ts$/, '');
  const output = join(scratch, `${name}.wasm`);
  execFileSync(process.execPath, [COMPILER, source, '-o', output, ...FLAGS, ...BARE], {
    cwd: HERE,
    stdio: 'inherit',
  });
  const wasm = readFileSync(output);
  const digest = createHash('sha256').update(readFileSync(source)).digest('hex');
  writeFileSync(
    join(HERE, `${name}.wasm.ts`),
    [
      `/** Made from \`assembly/${file}\` by \`npm run kernels\`; ${wasm.length} bytes. */`,
      '',
      '/** SHA-256 of the source it was made from. */',
      `export const SOURCE_SHA256 = '${digest}';`,
      '',
      '/** The module, in base64. */',
      'export const WASM =',
      `  '${wasm.toString('base64')}';`,
      '',
    ].join('\n'),
  );
}
