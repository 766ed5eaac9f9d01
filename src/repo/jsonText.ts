import { base64 } from "multiformats/bases/base64"
import { Cid, cidLength } from "./cid.ts"

// A text may begin with U+FEFF, which a decoder drops unless told.
const utf8 = new TextDecoder("utf-8", { ignoreBOM: true, fatal: false })

/** Where the reading of one block stands; kept outside so that a value costs no object. */
let block: Uint8Array = new Uint8Array(0)
let at = 0

/**
 * The JSON text of a stored DAG-CBOR block, without the values in between.
 *
 * listRecords writes a hundred records into one answer; decoding each into objects and printing those
 * takes several times as long. The block must be one that the strict codec has made or checked.
 */
export const blockToJsonText = (bytes: Uint8Array): string => {
  block = bytes
  at = 0
  return value()
}

const value = (): string => {
  const head = block[at]!
  const type = head >> 5
  switch (type) {
    case 0:
      return String(argument())
    case 1:
      return String(-1 - argument())
    case 2:
      return `{"$bytes":"${base64.baseEncode(take(argument()))}"}`
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
      return head === 0xf4 ? "false" : head === 0xf5 ? "true" : "null"
  }
}

/** The number in or behind a head byte. */
const argument = (): number => {
  const low = block[at++]! & 0x1f
  if (low < 24) return low
  let n = 0
  for (let left = 1 << (low - 24); left > 0; left--) n = n * 256 + block[at++]!
  return n
}

const take = (length: number): Uint8Array => block.subarray(at, (at += length))

const text = (length: number): string => {
  const end = at + length
  if (length <= 512) {
    let i = at
    // Printable ASCII without quote and backslash stands for itself in JSON.
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
  let out = "["
  for (let i = 0; i < length; i++) out += i === 0 ? value() : `,${value()}`
  return `${out}]`
}

const map = (length: number): string => {
  let out = "{"
  for (let i = 0; i < length; i++) {
    const key = text(argument())
    out += i === 0 ? `${key}:${value()}` : `,${key}:${value()}`
  }
  return `${out}}`
}

/** Tag 42 (two bytes), a byte string head (two bytes), the identity multibase prefix, and the CID. */
const link = (): string => {
  at += 5
  return `{"$link":"${new Cid(take(cidLength)).toString()}"}`
}
