import { availableParallelism } from 'node:os';
import { defineConfig } from 'vitest/config';
import type { Reporter } from 'vitest/node';

/** Ends the run with one plain line that scripts can read. */
const countLine: Reporter = {
  onTestRunEnd(modules, unhandledErrors) {
    const tests = modules.flatMap((module) => [...module.children.allTests()]);
    const passed = tests.filter((test) => test.result().state === 'passed').length;
    const brokenFiles = modules.filter((module) => module.state() === 'failed' && module.errors().length > 0);
    const failed = tests.filter((test) => test.result().state === 'failed').length;
    process.stdout.write(
      `\n${passed} passed, ${failed + brokenFiles.length + unhandledErrors.length} failed\n`,
    );
  },
};

export default defineConfig({
  test: {
    include: ['test/**/*.test.ts'],
    testTimeout: 30_000,
    // Files that share a worker share the modules it has loaded: loading them anew for each file took a quarter of the time.
    isolate: false,
    reporters: ['default', countLine],
    // Many tests wait for other processes: on two cores the default of one worker would leave one of them idle.
    maxWorkers: Math.max(2, availableParallelism() - 1),
  },
});
