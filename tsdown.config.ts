import { existsSync, readFileSync, readdirSync, writeFileSync } from 'node:fs';
import { defineConfig } from 'tsdown';

/** Put into our files, so that a command starts fast and users install little; their licences go along. */
const BUNDLED = [
  '@stricli/core',
  'csv-parse',
  'fastest-levenshtein',
  'fzstd',
  'hyparquet',
  'hyparquet-compressors',
  'hyparquet-writer',
  'mathjs',
  'natural',
  'tinyglobby',
  'yaml',
  'zod',
];

/** What the bundled packages bring with them. */
const BUNDLED_WITH_THEM = [
  '@babel/runtime',
  'escape-latex',
  'fdir',
  'hysnappy',
  'picomatch',
  'tiny-emitter',
  'typed-function',
];

const licenceText = (name: string): string => {
  const folder = `node_modules/${name}`;
  const { version, license } = JSON.parse(readFileSync(`${folder}/package.json`, 'utf8'));
  const file = readdirSync(folder).find((entry) => /^licen[cs]e/i.test(entry));
  const text = file === undefined ? '' : readFileSync(`${folder}/${file}`, 'utf8');
  const notice = existsSync(`${folder}/NOTICE`) ? readFileSync(`${folder}/NOTICE`, 'utf8') : '';
  return `${name} ${version} (${license})\n\n${text}${notice}`;
};

export default defineConfig({
  entry: {
    index: 'src/index.ts',
    metrics: 'src/metrics/index.ts',
    cli: 'src/cli/bin.ts',
    worker: 'src/worker.ts',
  },
  format: 'esm',
  platform: 'node',
  target: 'node20',
  fixedExtension: false,
  dts: false,
  clean: true,
  // With line breaks: the line in front of a stack trace shall be readable.
  minify: { compress: true, mangle: false, codegen: false },
  deps: { alwaysBundle: BUNDLED, onlyBundle: [...BUNDLED, ...BUNDLED_WITH_THEM] },
  copy: [
    { from: 'src/metrics/wordnet/wordnet-3.0.bin', to: 'dist' },
    { from: 'src/python/harness.py', to: 'dist' },
    { from: 'src/python/images/*.txt', to: 'dist/images' },
    { from: 'src/metrics/wordnet/LICENSE', to: 'dist', rename: 'wordnet-LICENSE' },
  ],
  hooks: {
    'build:done': () => {
      const texts = [...BUNDLED, ...BUNDLED_WITH_THEM].map(licenceText);
      writeFileSync('dist/THIRD-PARTY-LICENSES', texts.join(`\n${'-'.repeat(80)}\n`));
    },
  },
});
