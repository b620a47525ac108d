/**
 * Floats of 16 bits, which a `DataView` does not know: FP16 (5 bits of exponent) and BF16 (8 bits).
 */

/** How many of the 16 bits hold the exponent; one holds the sign, the rest the fraction. */
export type ExponentBits = 5 | 8

/** The number that these bits mean. */
export const fromBits = (bits: number, exponentBits: ExponentBits): number => {
  const fractionBits = 15 - exponentBits
  const fraction = bits & (1 << fractionBits) - 1
  const exponent = bits >> fractionBits & (1 << exponentBits) - 1
  const bias = (1 << exponentBits - 1) - 1
  const size = exponent === (1 << exponentBits) - 1
    ? fraction === 0 ? Infinity : NaN
    : exponent === 0
    ? fraction * 2 ** (1 - bias - fractionBits)
    : (fraction + (1 << fractionBits)) * 2 ** (exponent - bias - fractionBits)
  return bits >= 0x8000 ? -size : size
}

/** The bits of the nearest such float; of two that are as near, the even one. */
export const toBits = (value: number, exponentBits: ExponentBits): number => {
  const fractionBits = 15 - exponentBits
  const infinity = (1 << exponentBits) - 1 << fractionBits
  if (Number.isNaN(value)) return infinity | 1 << fractionBits - 1
  const sign = value < 0 || Object.is(value, -0) ? 0x8000 : 0
  const size = Math.abs(value)
  const bias = (1 << exponentBits - 1) - 1
  const exponent = Math.max(exponentOf(size), 1 - bias)
  if (exponent > bias) return sign | infinity
  const fraction = nearestEven(size * 2 ** (fractionBits - exponent))
  // a fraction that rounds up to the next power of two carries into the exponent by itself, and so to infinity
  const isNormal = fraction >= 1 << fractionBits
  return sign | (isNormal ? (exponent + bias << fractionBits) + fraction - (1 << fractionBits) : fraction)
}

/** The greatest power of two that is not greater. */
const exponentOf = (size: number): number => {
  if (size === 0) return -Infinity
  if (size === Infinity) return Infinity
  const near = Math.floor(Math.log2(size))
  return 2 ** near > size ? near - 1 : 2 ** (near + 1) <= size ? near + 1 : near
}

const nearestEven = (value: number): number => {
  const below = Math.floor(value)
  const rest = value - below
  return rest < 0.5 || rest === 0.5 && below % 2 === 0 ? below : below + 1
}
