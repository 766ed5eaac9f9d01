import { carBytes } from "../../core/repo/car.ts"
import { syncFrame } from "../../core/repo/frame.ts"
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
