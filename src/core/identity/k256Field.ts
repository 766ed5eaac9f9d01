/**
 * Numbers modulo the prime of K-256, `p = 2^256 - 2^32 - 977`, in eleven signed limbs of 24 bits.
 *
 * A limb is a double, so sums of products are exact up to 2^53. `multiply` and `carry` return limbs
 * of at most 2^23 + 8. Limbs of up to three times as much may be multiplied with each other, because
 * `11 * (3 * (2^23 + 8))^2 < 2^53`, if the numbers stay within 2^260. No step depends on a value.
 */
export type Limbs = Float64Array

const limbs = 11
const size = 24
const base = 2 ** size
const unit = 1 / base
/** Added and taken away again, it rounds a double to the nearest integer. */
const rounding = 1.5 * 2 ** 52

/** Zero, to be written to. */
export const zero = (): Limbs => new Float64Array(limbs)

/** Writes the limbs of a number below 2^257 from an offset on. */
export const toLimbs = (number: bigint, out: Limbs | Int32Array, offset = 0): void => {
  let left = number
  for (let at = 0; at < limbs; at++) {
    const limb = BigInt.asIntN(size, left)
    out[offset + at] = Number(limb)
    left = (left - limb) >> BigInt(size)
  }
}

/** The number that limbs stand for, which may be negative or above the prime. */
export const fromLimbs = (given: Limbs): bigint => {
  let number = 0n
  for (let at = limbs - 1; at >= 0; at--) number = (number << BigInt(size)) + BigInt(given[at]!)
  return number
}

/** `out = a - b`, without carrying. */
export const subtract = (out: Limbs, a: Limbs, b: Limbs): void => {
  for (let at = 0; at < limbs; at++) out[at] = a[at]! - b[at]!
}

/** Moves what the first limbs hold beyond 24 bits into the next one. */
export const carry = (given: Limbs, count = limbs - 1): void => {
  let over = 0
  for (let at = 0; at < count; at++) {
    const limb = given[at]!
    const next = limb * unit + rounding - rounding
    given[at] = limb - next * base + over
    over = next
  }
  given[count] = given[count]! + over
}

/** The columns of a product, whose upper half is folded into the lower. */
const columns = new Float64Array(2 * limbs)

/** `out = a * b` modulo the prime, carried; `out` may be a factor. */
export const multiply = (out: Limbs, a: Limbs, b: Limbs): void => {
  const b0 = b[0]!
  const b1 = b[1]!
  const b2 = b[2]!
  const b3 = b[3]!
  const b4 = b[4]!
  const b5 = b[5]!
  const b6 = b[6]!
  const b7 = b[7]!
  const b8 = b[8]!
  const b9 = b[9]!
  const b10 = b[10]!
  const c = columns
  c.fill(0)
  for (let at = 0; at < limbs; at++) {
    const limb = a[at]!
    c[at + 0] = c[at + 0]! + limb * b0
    c[at + 1] = c[at + 1]! + limb * b1
    c[at + 2] = c[at + 2]! + limb * b2
    c[at + 3] = c[at + 3]! + limb * b3
    c[at + 4] = c[at + 4]! + limb * b4
    c[at + 5] = c[at + 5]! + limb * b5
    c[at + 6] = c[at + 6]! + limb * b6
    c[at + 7] = c[at + 7]! + limb * b7
    c[at + 8] = c[at + 8]! + limb * b8
    c[at + 9] = c[at + 9]! + limb * b9
    c[at + 10] = c[at + 10]! + limb * b10
  }
  carry(c, 2 * limbs - 1)
  carry(c, 2 * limbs - 1)
  // 2^264 is 2^40 + 250,112, and 2^256 is 2^32 + 977.
  let over = 0
  for (let at = 0; at < limbs; at++) {
    const high = c[at + limbs]!
    c[at] = c[at]! + high * 250_112 + over
    over = high * 65_536
  }
  const top = c[10]! * 2 ** -16 + rounding - rounding
  c[10] = c[10]! - top * 65_536
  const above = top + over * 256
  c[0] = c[0]! + above * 977
  c[1] = c[1]! + above * 256
  carry(c)
  carry(c)
  for (let at = 0; at < limbs; at++) out[at] = c[at]!
}
