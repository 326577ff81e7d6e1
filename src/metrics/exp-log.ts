/**
 * Logarithm and exponential as a C library rounds them. V8's are within one unit in the last place, glibc's within 0.52:
 * through a mean of logarithms such a difference reaches the last digit of a BLEU score now and then.
 *
 * Both carry a second double for what the first could not hold, where it matters; a tail of the series that is
 * at most a hundredth of the result is computed in plain doubles.
 */

const LN2_HIGH = 0.693_147_180_369_123_8; // the last 21 bits are 0, so that times an exponent it is exact
const LN2_LOW = 1.908_214_929_270_587_7e-10;
/** 2^27 + 1 cuts a double into two halves of 26 bits. */
const SPLITTER = 134_217_729;

/** 1/27, 1/25, ..., 1/3: the series of atanh after its first term, by s. */
const ATANH_TAIL = Float64Array.from({ length: 13 }, (_, index) => 1 / (27 - 2 * index));

/** 1/15!, 1/14!, ..., 1/3!: the series of exp from its fourth term on. */
const EXP_TAIL = Float64Array.from({ length: 13 }, (_, index) => {
  let factorial = 1;
  for (let n = 2; n <= 15 - index; n++) factorial *= n;
  return 1 / factorial;
});

const highHalf = (value: number): number => {
  const scaled = value * SPLITTER;
  return scaled - (scaled - value);
};

/** What rounding took from the product `a * b`, exactly (Dekker 1971). */
const lostInProduct = (a: number, b: number, product: number): number => {
  const aHigh = highHalf(a);
  const aLow = a - aHigh;
  const bHigh = highHalf(b);
  const bLow = b - bHigh;
  return aLow * bLow - (product - aHigh * bHigh - aLow * bHigh - aHigh * bLow);
};

/** What rounding took from the sum `larger + smaller`, exactly, if |larger| >= |smaller|. */
const lostInSum = (larger: number, smaller: number, sum: number): number => smaller - (sum - larger);

/** The natural logarithm of a positive normal number, within 0.51 units in the last place. */
export const log = (x: number): number => {
  // x = f * 2^exponent with f about 1, between 0.7 and 1.42.
  const exponent = Math.round(Math.log2(x));
  const f = x / 2 ** exponent;
  // log f = 2 atanh s = 2 (s + s^3/3 + s^5/5 + ...) with s = (f - 1) / (f + 1), here sHigh + sLow.
  const numerator = f - 1;
  const denominator = f + 1;
  const denominatorLow = f >= 1 ? lostInSum(f, 1, denominator) : lostInSum(1, f, denominator);
  const s = numerator / denominator;
  const product = s * denominator;
  const remainder = numerator - product - lostInProduct(s, denominator, product) - s * denominatorLow;
  const sLow = remainder / denominator;
  const square = s * s;
  let tail = 0;
  for (const coefficient of ATANH_TAIL) tail = (tail + coefficient) * square;
  const high = exponent * LN2_HIGH;
  if (exponent === 0) return 2 * s + 2 * (sLow + s * tail);
  const sum = high + 2 * s;
  return sum + (lostInSum(high, 2 * s, sum) + exponent * LN2_LOW + 2 * (sLow + s * tail));
};

/** e to the x, for x at most 700, within 0.52 units in the last place. */
export const exp = (x: number): number => {
  // Results that are not normal numbers have fewer digits, and no score is among them.
  if (x < -700) return Math.exp(x);
  // x = exponent * ln 2 + r with |r| < 0.35, here rHigh + rLow.
  const exponent = Math.round(x / Math.LN2);
  const reduced = x - exponent * LN2_HIGH;
  const shift = exponent * LN2_LOW;
  const r = reduced - shift;
  const rLow = reduced - r - shift;
  // 1 + r + r^2/2 + r^3/6 + ...
  const square = r * r;
  const squareLow = lostInProduct(r, r, square);
  let tail = 0;
  for (const coefficient of EXP_TAIL) tail = (tail + coefficient) * r;
  tail *= square;
  const first = 1 + r;
  const half = square / 2;
  const second = first + half;
  const lost = lostInSum(1, r, first) + lostInSum(first, half, second);
  return (second + (lost + rLow * first + squareLow / 2 + tail)) * 2 ** exponent;
};
