/** A blank would become a blank. */
const NOT_ALPHANUMERIC = /[^\p{L}\p{N} ]/gu;

/**
 * Makes everything but letters and numbers a blank, trims, and turns to lower case: RapidFuzz 3.10
 * `utils.default_process` as its compiled package does it. So the underscore becomes a blank too, runs of blanks stay,
 * and each code point is lowered by itself: U+0130 to `i`, a final sigma as any other.
 *
 * What a letter is, the running Node's Unicode says; RapidFuzz 3.10 has that of Unicode 13 (2020), so a letter that was
 * added since is a blank there.
 */
export const defaultProcess = (text: string): string =>
  text
    .replace(NOT_ALPHANUMERIC, ' ')
    .trim()
    .replaceAll('\u0130', 'i')
    .replaceAll('\u03a3', '\u03c3')
    .toLowerCase();
