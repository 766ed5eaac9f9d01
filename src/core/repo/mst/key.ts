import { sha256 } from "../cid.ts"
import { maxKeyBytes } from "../limits.ts"

const pattern = /^[a-zA-Z0-9_~\-:.]+\/[a-zA-Z0-9_~\-:.]+$/

/** Thrown for a key that is not `collection/rkey` in the tree's character set. */
export class InvalidMstKey extends Error {
  override readonly name = "InvalidMstKey"
  readonly key: string

  constructor(key: string) {
    super(`not a key of a tree: ${key.slice(0, 80)}`)
    this.key = key
  }
}

/** Whether a tree accepts a key. */
export const isMstKey = (key: string): boolean => key.length <= maxKeyBytes && pattern.test(key)

/** Throws InvalidMstKey unless a tree accepts the key. */
export const checkMstKey = (key: string): void => {
  if (!isMstKey(key)) throw new InvalidMstKey(key)
}

/** A key's layer: half the number of leading zero bits of its SHA-256. */
export const keyLayer = (key: string): number => {
  const digest = sha256(key)
  let zeros = 0
  for (const byte of digest) {
    if (byte !== 0) {
      zeros += Math.clz32(byte) - 24
      break
    }
    zeros += 8
  }
  return zeros >>> 1
}

/** The length of the longest common prefix. */
export const commonPrefix = (a: string, b: string): number => {
  const length = Math.min(a.length, b.length)
  let i = 0
  while (i < length && a.charCodeAt(i) === b.charCodeAt(i)) i++
  return i
}

/** The index of the first key that is not less than `key`. */
export const lowerBound = (keys: ReadonlyArray<string>, key: string): number => {
  let low = 0
  let high = keys.length
  while (low < high) {
    const middle = (low + high) >>> 1
    if (keys[middle]! < key) low = middle + 1
    else high = middle
  }
  return low
}
