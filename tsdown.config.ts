import { defineConfig } from 'tsdown';

export default defineConfig({
  entry: { index: 'src/index.ts', metrics: 'src/metrics/index.ts', cli: 'src/cli/bin.ts' },
  format: 'esm',
  platform: 'node',
  target: 'node20',
  fixedExtension: false,
  dts: false,
  clean: true,
  copy: [
    { from: 'src/metrics/wordnet/wordnet-3.0.bin', to: 'dist' },
    { from: 'src/metrics/wordnet/LICENSE', to: 'dist', rename: 'wordnet-LICENSE' },
  ],
  minify: { compress: true, mangle: false, codegen: false },
});
