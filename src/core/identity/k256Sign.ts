import { createHmac } from "node:crypto"
import { createHmacDrbg } from "@noble/curves/abstract/utils"
import { secp256k1 } from "@noble/curves/secp256k1"
import { inverse } from "./inverse.ts"
import { carry, fromLimbs, multiply, subtract, toLimbs, zero } from "./k256Field.ts"

const { Fp, Fn } = secp256k1.Point
const n = Fn.ORDER

/** The digits of a scalar: 32, of 8 bits each. */
const digits = 32

/** The coordinates x and y of a point, in limbs. */
const pointSize = 22

/**
 * The odd multiples 1, 3, … 255 of `2^(8 w)` times the base point, by window: 360 KB, made in about
 * 20 ms.
 */
export const makeTable = (): Int32Array => {
  const made = new Int32Array(digits * 128 * pointSize)
  let base = secp256k1.Point.BASE
  let at = 0
  for (let window = 0; window < digits; window++) {
    const points = [base]
    const twice = base.double()
    while (points.length < 128) points.push(points.at(-1)!.add(twice))
    for (const { x, y } of secp256k1.Point.normalizeZ(points)) {
      toLimbs(x, made, at)
      toLimbs(y, made, at + pointSize / 2)
      at += pointSize
    }
    for (let bit = 0; bit < 8; bit++) base = base.double()
  }
  return made
}

let table: Int32Array | undefined

// One thread and no waiting: each signature writes to the same numbers.
const x = zero()
const y = zero()
const z = zero()
const otherX = zero()
const otherY = zero()
const h = zero()
const r = zero()
const hh = zero()
const v = zero()

/** Reads a point of the table, or its negative. */
const read = (points: Int32Array, at: number, sign: number): void => {
  for (let limb = 0; limb < 11; limb++) {
    otherX[limb] = points[at + limb]!
    otherY[limb] = sign * points[at + 11 + limb]!
  }
}

/**
 * Whether a point in Jacobian coordinates is on the curve, `y^2 = x^3 + 7 z^6`: one wrong limb
 * anywhere in a sum takes it off.
 */
const isOnCurve = (): boolean => {
  multiply(r, y, y)
  multiply(h, x, x)
  multiply(h, h, x)
  multiply(hh, z, z)
  multiply(v, hh, hh)
  multiply(v, v, hh)
  return Fp.create(fromLimbs(r) - fromLimbs(h) - 7n * fromLimbs(v)) === 0n
}

/**
 * The x coordinate of `k` times the base point; undefined for the one scalar whose last addition
 * would be a doubling, and for a sum off the curve: a signature with a wrong `r` could give the key
 * away.
 *
 * `k` and `-k` have the same x, and one of them is odd. An odd scalar is a sum of odd digits from
 * -255 to 255, none of them zero, so every scalar takes the same 31 additions and no doubling: of
 * affine points to a sum in Jacobian coordinates.
 */
export const xOfMultiple = (points: Int32Array, k: bigint): bigint | undefined => {
  const odd = (k & 1n) === 1n ? k : n - k
  let bits = (odd >> 1n) | (1n << 255n)
  for (let window = 0; window < digits; window++) {
    const digit = Number(bits & 0xffn)
    bits >>= 8n
    const index = digit >= 128 ? digit - 128 : 127 - digit
    read(points, (window * 128 + index) * pointSize, digit >= 128 ? 1 : -1)
    if (window === 0) {
      x.set(otherX)
      y.set(otherY)
      z.fill(0)
      z[0] = 1
      continue
    }
    multiply(h, z, z)
    multiply(otherX, otherX, h)
    multiply(otherY, otherY, h)
    multiply(otherY, otherY, z)
    subtract(h, otherX, x)
    subtract(r, otherY, y)
    multiply(hh, h, h)
    multiply(v, x, hh)
    multiply(z, z, h)
    multiply(hh, hh, h)
    multiply(x, r, r)
    for (let limb = 0; limb < 11; limb++) x[limb] = x[limb]! - hh[limb]! - 2 * v[limb]!
    carry(x)
    subtract(v, v, x)
    multiply(v, v, r)
    multiply(y, y, hh)
    subtract(y, v, y)
  }
  const last = Fp.create(fromLimbs(z))
  if (last === 0n || !isOnCurve()) return undefined
  const once = inverse(last, Fp.ORDER)
  return Fp.create(once * once * fromLimbs(x))
}

/** HMAC-SHA-256, native: a fifth faster for nonces than the library's. */
export const nativeHmac = (key: Uint8Array, ...messages: ReadonlyArray<Uint8Array>): Uint8Array => {
  const made = createHmac("sha256", key)
  for (const message of messages) made.update(message)
  return new Uint8Array(made.digest())
}

const nonces = createHmacDrbg<Uint8Array>(32, 32, nativeHmac)

/** Signs a digest of 32 bytes by RFC 6979, with low s: 64 bytes `r ‖ s`. The first call makes a table. */
export const signK256 = (digest: Uint8Array, privateKey: Uint8Array): Uint8Array => {
  const points = (table ??= makeTable())
  const d = Fn.fromBytes(privateKey)
  if (d === 0n) throw new RangeError("not a private key")
  const m = Fn.create(numberOf(digest))
  const seed = new Uint8Array(64)
  seed.set(privateKey)
  seed.set(Fn.toBytes(m), 32)
  return nonces(seed, (bytes) => {
    const k = numberOf(bytes)
    if (k === 0n || k >= n) return undefined
    const first = (xOfMultiple(points, k) ?? secp256k1.Point.BASE.multiply(k).x) % n
    const second = Fn.create(inverse(k, n) * (m + first * d))
    if (first === 0n || second === 0n) return undefined
    const signature = new Uint8Array(64)
    signature.set(Fn.toBytes(first))
    signature.set(Fn.toBytes(second > n >> 1n ? n - second : second), 32)
    return signature
  })
}

const numberOf = (bytes: Uint8Array): bigint => {
  const view = new DataView(bytes.buffer, bytes.byteOffset, 32)
  let number = 0n
  for (let at = 0; at < 32; at += 8) number = (number << 64n) | view.getBigUint64(at)
  return number
}
