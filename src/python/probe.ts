import type { JsonObject, PythonProgram } from '../contract.js';
import { LateScore, type Score } from '../score.js';
import { createPython, type PythonOptions } from './host.js';

/** How a source of our own is tried: as the sources of graders are run. */
export interface ProbeOptions extends PythonOptions {
  /** The image whose environment runs it, where it is installed and no `python` is named. */
  readonly imageTag?: string;
}

/**
 * Loads a source on one worker, hands it to `use`, and ends it.
 *
 * @throws UnavailableError when it cannot run as asked
 */
export const withProbe = async <Result>(
  source: string,
  { imageTag, ...options }: ProbeOptions,
  use: (program: PythonProgram) => Promise<Result>,
): Promise<Result> => {
  const python = createPython({ workers: 1, ...options });
  try {
    return await use(await python.load({ source, imageTag }));
  } finally {
    await python.close();
  }
};

/** The score of one item. */
export const gradeItem = async (program: PythonProgram, item: JsonObject): Promise<Score> => {
  const score = program.grade({ item, sample: { output_text: '' } });
  return score instanceof LateScore ? score.toPromise() : score;
};
