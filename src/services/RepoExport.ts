import { CarChunks } from "../repo/car.ts"
import { preOrder } from "../repo/mst/preOrder.ts"
import type { Records, StoredRecord } from "./Records.ts"
import type { Snapshot } from "./Repo.ts"

/** Rows read from the record table at a time, at most: large records end a page earlier. */
const pageRows = 500

/**
 * A whole repo as a CAR, commit first, then the tree in pre-order with its records between the nodes.
 *
 * The snapshot keeps it as it was at the beginning; a page of records and a path of nodes are in memory.
 * With `since`, records that no later commit has written are left out; all tree nodes stay.
 */
export function* exportBlocks(
  snapshot: Snapshot,
  records: Records["Service"],
  since: string | undefined
): Generator<Uint8Array> {
  const { head, tree, overlay } = snapshot
  const chunks = new CarChunks(head.commit)
  const add = chunks.push(head.commit, head.block)
  if (add !== undefined) yield add
  const rows = new RecordRows(records)
  for (const item of preOrder(tree)) {
    let value: Uint8Array | undefined
    if (item.kind === "node") value = item.bytes
    else {
      const row = rows.at(item.key)
      value = row?.cid.equals(item.cid) ? row.value : overlay.get(item.cid.key)
      if (value === undefined) throw new Error(`record block missing: ${item.key}`)
      if (since !== undefined && row?.rev !== undefined && row.rev <= since) continue
    }
    const full = chunks.push(item.cid, value)
    if (full !== undefined) yield full
  }
  const rest = chunks.flush()
  if (rest !== undefined) yield rest
}

/** The record table read forward in pages, in step with the tree's leaves. */
class RecordRows {
  readonly #records: Records["Service"]
  #page: Array<StoredRecord> = []
  #at = 0

  constructor(records: Records["Service"]) {
    this.#records = records
  }

  /** The row of this path, if it is (still) there; paths must be asked for in rising order. */
  at(path: string): StoredRecord | undefined {
    while (true) {
      while (this.#at < this.#page.length) {
        const row = this.#page[this.#at]!
        if (row.path === path) return row
        if (row.path > path) return undefined
        this.#at++
      }
      // The next page begins at the path that is wanted, or behind it where that is gone.
      this.#page = this.#records.from(path, pageRows)
      this.#at = 0
      if (this.#page.length === 0) return undefined
    }
  }
}

/** Sends the chunks of an export as they are asked for; `close` is called once, however it ends. */
export const exportStream = (
  chunks: Generator<Uint8Array>,
  close: () => void
): ReadableStream<Uint8Array> =>
  new ReadableStream<Uint8Array>(
    {
      pull(controller) {
        try {
          const next = chunks.next()
          if (!next.done) return controller.enqueue(next.value)
          close()
          controller.close()
        } catch (cause) {
          close()
          controller.error(cause)
        }
      },
      cancel: close
    },
    { highWaterMark: 1 }
  )
