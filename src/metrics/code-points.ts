/** How many code points Unicode has room for. */
export const CODE_POINTS = 0x11_0000;

const BEYOND_LATIN1 = /[^\0-\u00ff]/;

/** True when every character is below U+0100, so that the text fits in bytes. */
export const isLatin1 = (text: string): boolean => !BEYOND_LATIN1.test(text);

const SURROGATE = /[\uD800-\uDFFF]/;

/** True when each UTF-16 unit of the text is a code point of its own: no surrogates, neither pairs nor lone ones. */
export const unitsAreCodePoints = (text: string): boolean => !SURROGATE.test(text);

/**
 * Writes the code points of a text as Python counts them: a surrogate pair is one, a lone surrogate too.
 *
 * @param into  at least as long as the text
 * @returns how many there are
 */
export const writeCodePoints = (text: string, into: Int32Array): number => {
  if (unitsAreCodePoints(text)) {
    for (let unit = 0; unit < text.length; unit++) into[unit] = text.charCodeAt(unit);
    return text.length;
  }
  let length = 0;
  for (let unit = 0; unit < text.length; unit++) {
    const codePoint = text.codePointAt(unit)!;
    if (codePoint > 0xffff) unit++;
    into[length++] = codePoint;
  }
  return length;
};

/** The code points of a text. */
export const toCodePoints = (text: string): Int32Array => {
  const codePoints = new Int32Array(text.length);
  return codePoints.subarray(0, writeCodePoints(text, codePoints));
};

/** How many code points a text has. */
export const codePointLength = (text: string): number => {
  if (unitsAreCodePoints(text)) return text.length;
  let length = text.length;
  for (let unit = 0; unit < text.length; unit++) {
    if (text.codePointAt(unit)! > 0xffff) {
      unit++;
      length--;
    }
  }
  return length;
};
