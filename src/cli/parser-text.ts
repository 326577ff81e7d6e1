import { ArgumentScannerError, formatMessageForArgumentScannerError, text_en } from '@stricli/core';
import { suggest } from '../suggest.js';
import { UsageError } from './context.js';

type ScannerErrorTexts = Parameters<typeof formatMessageForArgumentScannerError>[1];

/** `maxFailed` → `--max-failed` */
const flagName = (name: string): string =>
  `--${name.replace(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`)}`;

const didYouMean = (names: readonly string[]): string =>
  names.length === 0 ? '' : `, did you mean ${names.join(' or ')}?`;

const scannerErrors: ScannerErrorTexts = {
  FlagNotFoundError: ({ input, corrections }) =>
    `unknown flag ${flagName(input)}${didYouMean(corrections.map(flagName))}`,
  AliasNotFoundError: ({ input }) => `unknown flag -${input}`,
  ArgumentParseError: ({ externalFlagNameOrPlaceholder, input, exception }) =>
    // Flags of text take anything and ours throw a UsageError, so the rest is a switch.
    `${flagName(externalFlagNameOrPlaceholder)}: ${
      exception instanceof UsageError ? exception.message : `expected true or false, got ${input}`
    }`,
  EnumValidationError({ externalFlagName, input, values }) {
    const meant = suggest(input, values);
    const expected = `expected one of ${values.join(', ')}, got ${input}`;
    return `${flagName(externalFlagName)}: ${expected}${didYouMean(meant === undefined ? [] : [meant])}`;
  },
  UnsatisfiedFlagError: ({ externalFlagName, nextFlagName }) =>
    `${flagName(externalFlagName)}: expected a value, got ${
      nextFlagName === undefined ? 'none' : `the flag ${flagName(nextFlagName)}`
    }`,
  UnexpectedFlagError: ({ externalFlagName, previousInput, input }) =>
    `${flagName(externalFlagName)}: expected once, got ${previousInput} and ${input}`,
  InvalidNegatedFlagSyntaxError: ({ externalFlagName, valueText }) =>
    `${flagName(externalFlagName)}: expected no value, got ${valueText}`,
  UnexpectedPositionalError: ({ expectedCount, input }) =>
    `unexpected argument ${input}, expected ${expectedCount === 0 ? 'none' : `only ${expectedCount}`}`,
  UnsatisfiedPositionalError: ({ placeholder }) => `missing argument <${placeholder}>`,
};

/** What the last resort prints for a mistake of this program's own, by whomever it is caught. */
export const bugReport = (error: unknown): string => {
  const trace = error instanceof Error ? (error.stack ?? error.message) : String(error);
  return `assay: internal error: ${trace}\nThis is a bug in assay, not a mistake of yours: please report it with the lines above.`;
};

/** Everything the parser of the command line says, in the words of the other messages. */
export const parserText: typeof text_en = {
  ...text_en,
  keywords: { ...text_en.keywords, default: 'default' },
  briefs: { ...text_en.briefs, argumentEscapeSequence: 'Everything after it is an argument, not a flag' },
  noCommandRegisteredForInput: ({ input, corrections }) =>
    `assay: unknown command ${input}${didYouMean(corrections.map((name) => name.replaceAll('`', '')))}`,
  exceptionWhileParsingArguments: (error) =>
    error instanceof ArgumentScannerError
      ? `assay: ${formatMessageForArgumentScannerError(error, scannerErrors)}`
      : bugReport(error),
  exceptionWhileLoadingCommandFunction: bugReport,
  exceptionWhileLoadingCommandContext: bugReport,
  exceptionWhileRunningCommand: bugReport,
};
