import { defineConfig } from 'tsdown';

export default defineConfig({
  entry: { index: 'src/index.ts', metrics: 'src/metrics/index.ts', cli: 'src/cli/bin.ts' },
  format: 'esm',
  platform: 'node',
  target: 'node20',
  fixedExtension: false,
  dts: false,
  clean: true,
  minify: { compress: true, mangle: false, codegen: false },
});
