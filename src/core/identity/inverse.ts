/**
 * The inverse of a number from 1 modulo a greater prime below 2^256.
 *
 * Euclid's algorithm in Lehmer's form: as long as the leading digits alone decide the quotients, it
 * steps with doubles, and then takes all those steps at once with the long numbers.
 */
export const inverse = (number: bigint, prime: bigint): bigint => {
  // Modulo the prime, x is u times the number, and y is v times the number.
  let x = prime
  let y = number
  let u = 0n
  let v = 1n
  let shift = 216n
  while (y > 0n) {
    let leading = Number(x >> shift)
    while (leading < 2 ** 26 && shift > 0n) leading = Number(x >> (shift -= 24n))
    const [a, b, c, d] = certainSteps(leading, Number(y >> shift)) ?? [0n, 1n, 1n, -(x / y)]
    const nextX = a * x + b * y
    const nextU = a * u + b * v
    y = c * x + d * y
    v = c * u + d * v
    x = nextX
    u = nextU
  }
  return u < 0n ? u + prime : u
}

/**
 * Steps of Euclid's algorithm on the leading digits of two numbers, below 2^50, while any digits
 * after them would give the same quotients; undefined if not even the first is certain. They take x
 * and y to `a x + b y` and `c x + d y`.
 */
const certainSteps = (
  leadingX: number,
  leadingY: number
): readonly [a: bigint, b: bigint, c: bigint, d: bigint] | undefined => {
  let x = leadingX
  let y = leadingY
  let a = 1
  let b = 0
  let c = 0
  let d = 1
  while (y + c > 0 && y + d > 0) {
    const quotient = Math.floor((x + a) / (y + c))
    if (quotient !== Math.floor((x + b) / (y + d))) break
    const nextY = x - quotient * y
    const nextC = a - quotient * c
    const nextD = b - quotient * d
    x = y
    a = c
    b = d
    y = nextY
    c = nextC
    d = nextD
  }
  return b === 0 ? undefined : [BigInt(a), BigInt(b), BigInt(c), BigInt(d)]
}
