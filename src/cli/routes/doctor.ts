import { buildCommand } from '@stricli/core';
import type { CommandContext } from '../context.js';
import { optional, switchedOn } from '../flags.js';
import type { DoctorFlags } from '../doctor.js';

/** `assay doctor`: its flags and help. */
export const doctorCommand = buildCommand<DoctorFlags, [], CommandContext>({
  loader: async () => (await import('../doctor.js')).doctorCommand,
  parameters: {
    flags: {
      python: { ...optional, brief: 'PATH: the Python for python graders' },
      image: { ...optional, brief: 'TAG: only this image, with more of it' },
      install: switchedOn('Install the image, or what is missing of it'),
      quick: switchedOn('No self-test'),
      json: switchedOn('Everything as JSON on standard output'),
    },
  },
  docs: {
    brief: 'Show what python graders have on this machine, and prove it',
    fullDescription: [
      'Show what python graders have on this machine: interpreter, packages, means of isolation, speed.',
      '',
      'The self-test runs a grader that tries what it should not, such as network, files and forks.',
      '',
      'With --image the Python is the one that graders with this image_tag get, and the self-test imports',
      "the image's packages. --install builds the image's environment, with uv or with venv and pip,",
      'from PyPI; --python then says with which Python.',
      '',
      'Exit codes: 0 fine, 2 graders cannot run at the default isolation, something was not contained,',
      'or the image of --image cannot be used; 130 interrupted.',
    ].join('\n'),
  },
});
