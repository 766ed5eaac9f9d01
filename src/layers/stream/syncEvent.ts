import { carBytes } from "../../core/repo/car.ts"
import { CarParser } from "../../core/repo/carParser.ts"
import { Cid } from "../../core/repo/cid.ts"
import { decodeFrame, syncFrame, withSeq } from "../../core/repo/frame.ts"
import { isMap } from "../../core/repo/json.ts"
import type { Head } from "../../services/repo/Repo.ts"
import type { OutboxEvent } from "../../services/stream/Sequencer.ts"

/** `#sync`: the repo's current head; the log also replaces its list of collections. */
export const syncEvent = (now: {
  readonly did: string
  readonly head: Head
  readonly collections: ReadonlyArray<string>
  readonly time: string
}): Omit<OutboxEvent, "id"> => {
  const { did, head, collections, time } = now
  const blocks = carBytes(head.commit, [{ cid: head.commit, bytes: head.block }])
  const frame = syncFrame({ did, rev: head.rev, blocks, time })
  return {
    kind: "sync",
    frame: frame.bytes,
    seqOffset: frame.seqOffset,
    head: { commit: head.commit.toString(), rev: head.rev },
    collections: { added: collections, removed: [], whole: true }
  }
}

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
