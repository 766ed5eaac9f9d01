import { carBytes } from "../../core/repo/car.ts"
import { CarParser } from "../../core/repo/carParser.ts"
import { Cid } from "../../core/repo/cid.ts"
import { decodeFrame, syncFrame, withSeq } from "../../core/repo/frame.ts"
import { isMap } from "../../core/repo/json.ts"

/**
 * The `#sync` with the same head and sequence number as a `#commit`; undefined for any other frame.
 */
export const asSync = (frame: Uint8Array): Uint8Array | undefined => {
  try {
    return syncOf(frame)
  } catch {
    // This server didn't build the frame, so it has no short form.
    return undefined
  }
}

const syncOf = (frame: Uint8Array): Uint8Array | undefined => {
  const { header, body } = decodeFrame(frame)
  if (!isMap(header) || header["t"] !== "#commit" || !isMap(body)) return undefined
  const { repo, rev, time, commit, blocks, seq } = body
  if (typeof repo !== "string" || typeof rev !== "string" || typeof time !== "string") return
  if (!(commit instanceof Cid) || !(blocks instanceof Uint8Array)) return undefined
  const car = new CarParser()
  car.push(blocks)
  let block = car.next()
  while (block !== undefined && !block.cid.equals(commit)) block = car.next()
  if (block === undefined) return undefined
  const sync = syncFrame({ did: repo, rev, time, blocks: carBytes(commit, [block]) })
  return withSeq(sync.bytes, sync.seqOffset, Number(seq))
}
