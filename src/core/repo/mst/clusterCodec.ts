import { InvalidNode } from "./node.ts"

/** Encodes a cluster: its nodes in pre-order, each preceded by its length as a varint. */
export const encodeCluster = (blocks: ReadonlyArray<Uint8Array>): Uint8Array => {
  let length = 0
  for (const block of blocks) length += block.length + varintLength(block.length)
  const out = new Uint8Array(length)
  let at = 0
  for (const block of blocks) {
    let rest = block.length
    for (; rest >= 0x80; rest >>>= 7) out[at++] = (rest & 0x7f) | 0x80
    out[at++] = rest
    out.set(block, at)
    at += block.length
  }
  return out
}

const varintLength = (n: number): number => (n < 0x80 ? 1 : n < 0x4000 ? 2 : n < 0x20_0000 ? 3 : 4)

/** Decodes a stored cluster to its nodes in pre-order, as views; throws InvalidNode. */
export const decodeCluster = (bytes: Uint8Array): Array<Uint8Array> => {
  const blocks: Array<Uint8Array> = []
  let at = 0
  while (at < bytes.length) {
    let length = 0
    for (let shift = 0; ; shift += 7) {
      const byte = bytes[at++]
      if (byte === undefined || shift > 21) throw new InvalidNode("not the bytes of a cluster")
      length |= (byte & 0x7f) << shift
      if (byte < 0x80) break
    }
    if (at + length > bytes.length) throw new InvalidNode("not the bytes of a cluster")
    blocks.push(bytes.subarray(at, at + length))
    at += length
  }
  return blocks
}

/** Encodes row numbers as varints. */
export const encodeRows = (rows: ReadonlyArray<number>): Uint8Array => {
  const out: Array<number> = []
  for (let rest of rows) {
    for (; rest >= 0x80; rest = Math.floor(rest / 0x80)) out.push((rest % 0x80) + 0x80)
    out.push(rest)
  }
  return Uint8Array.from(out)
}

/** Decodes stored row numbers. */
export const decodeRows = (bytes: Uint8Array): Array<number> => {
  const rows: Array<number> = []
  let row = 0
  let scale = 1
  for (const byte of bytes) {
    row += (byte & 0x7f) * scale
    scale *= 0x80
    if (byte >= 0x80) continue
    rows.push(row)
    row = 0
    scale = 1
  }
  return rows
}
