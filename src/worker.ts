import { parentPort, workerData } from 'node:worker_threads';
import { builtinGraders } from '../graders/index.js';
import { createEngine } from './engine.js';
import type { WorkerSetup } from './run/protocol.js';
import { serveWorker } from './run/serve-worker.js';

const engine = createEngine({ graders: builtinGraders });

if (parentPort !== null)
  await serveWorker(parentPort, workerData as WorkerSetup, ({ config, profile, punktData }) =>
    engine.prepare(config, { profile, punktData }),
  );
