import { base64 } from "multiformats/bases/base64"
import { decodeLoose, isLooseMap, type LooseData } from "./cborLoose.ts"
import { Cid, cidLength, isCidAt } from "./cid.ts"
import { maxDepth } from "./limits.ts"

// A text may start with U+FEFF, which a decoder drops by default.
const utf8 = new TextDecoder("utf-8", { ignoreBOM: true, fatal: false })

/** Reading position in the current block; module state, so a value needs no object. */
let block: Uint8Array = new Uint8Array(0)
let at = 0
let depth = 0

/** Thrown for a non-canonical block, which takes the slow path. */
class NotStrict extends Error {}

/**
 * The JSON text of a stored record, which is always an object.
 *
 * listRecords writes a hundred records into one response; decoding each one to objects and printing
 * those takes several times as long. A record that an import kept as it was is written as far as
 * JSON allows: numbers that JSON lacks become null, and a block without fields becomes
 * `{"block":{"$bytes":…}}`.
 */
export const blockToJsonText = (bytes: Uint8Array): string => {
  block = bytes
  at = 0
  depth = 0
  try {
    if (bytes[0]! >> 5 !== 5) throw new NotStrict()
    const json = value()
    if (at !== bytes.length) throw new NotStrict()
    return json
  } catch (error) {
    if (error instanceof NotStrict) return looseJsonText(bytes)
    throw error
  }
}

const looseJsonText = (bytes: Uint8Array): string => {
  const loose = decodeLoose(bytes)
  return isLooseMap(loose) ? looseText(loose) : `{"block":${bytesText(bytes)}}`
}

const isLooseArray = (value: object): value is ReadonlyArray<LooseData> => Array.isArray(value)

const looseText = (value: LooseData): string => {
  if (typeof value === "bigint") return String(value)
  if (typeof value !== "object" || value === null) return JSON.stringify(value)
  if (value instanceof Cid) return linkText(value)
  if (value instanceof Uint8Array) return bytesText(value)
  if (isLooseArray(value)) return `[${value.map(looseText).join(",")}]`
  const fields = Object.entries(value).map(
    ([key, field]) => `${JSON.stringify(key)}:${looseText(field)}`
  )
  return `{${fields.join(",")}}`
}

const bytesText = (bytes: Uint8Array): string => `{"$bytes":"${base64.baseEncode(bytes)}"}`

const linkText = (cid: Cid): string => `{"$link":"${cid.toString()}"}`

const value = (): string => {
  if (at >= block.length) throw new NotStrict()
  const head = block[at]!
  const type = head >> 5
  switch (type) {
    case 0:
      return String(argument())
    case 1:
      return String(-1 - argument())
    case 2:
      return bytesText(take(argument()))
    case 3:
      return text(argument())
    case 4:
      return list(argument())
    case 5:
      return map(argument())
    case 6:
      return link()
    default:
      at++
      if (head < 0xf4 || head > 0xf6) throw new NotStrict()
      return head === 0xf4 ? "false" : head === 0xf5 ? "true" : "null"
  }
}

/** The number in or after a head byte. */
const argument = (): number => {
  const low = block[at++]! & 0x1f
  if (low < 24) return low
  if (low > 27) throw new NotStrict()
  let n = 0
  for (let left = 1 << (low - 24); left > 0; left--) n = n * 256 + block[at++]!
  // Also catches a number past the end, which is NaN.
  if (!(n < Number.MAX_SAFE_INTEGER)) throw new NotStrict()
  return n
}

const take = (length: number): Uint8Array => {
  if (at + length > block.length) throw new NotStrict()
  return block.subarray(at, (at += length))
}

const text = (length: number): string => {
  const end = at + length
  if (length <= 512) {
    let i = at
    // Printable ASCII other than quotes and backslashes needs no escape in JSON.
    while (i < end) {
      const byte = block[i]!
      if (byte < 0x20 || byte > 0x7e || byte === 0x22 || byte === 0x5c) break
      i++
    }
    if (i === end)
      return `"${String.fromCharCode.apply(null, take(length) as unknown as number[])}"`
  }
  return JSON.stringify(utf8.decode(take(length)))
}

const list = (length: number): string => {
  deeper()
  let out = "["
  for (let i = 0; i < length; i++) out += i === 0 ? value() : `,${value()}`
  depth--
  return `${out}]`
}

const deeper = (): void => {
  if (++depth > maxDepth) throw new NotStrict()
}

const map = (length: number): string => {
  deeper()
  let out = "{"
  for (let i = 0; i < length; i++) {
    if (block[at]! >> 5 !== 3) throw new NotStrict()
    const key = text(argument())
    out += i === 0 ? `${key}:${value()}` : `,${key}:${value()}`
  }
  depth--
  return `${out}}`
}

/** Tag 42 (two bytes), a byte string head (two bytes), the identity multibase prefix, and the CID. */
const link = (): string => {
  if (block[at] !== 0xd8 || block[at + 1] !== 42 || !isCidAt(block, at + 5)) throw new NotStrict()
  at += 5
  return linkText(new Cid(take(cidLength)))
}
