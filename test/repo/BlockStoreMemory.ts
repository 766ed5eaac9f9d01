import * as Layer from "effect/Layer"
import { carBlockLength } from "../../src/core/repo/car.ts"
import { cidForCbor } from "../../src/core/repo/cid.ts"
import { preOrder } from "../../src/core/repo/mst/preOrder.ts"
import { blocksOf } from "../../src/core/repo/mst/proof.ts"
import { BlockStore } from "../../src/services/repo/BlockStore.ts"

/** Keeps the tree's nodes in a Map, one block each. */
export const layer = Layer.sync(BlockStore, () => {
  const nodes = new Map<string, { readonly rev: string; readonly bytes: Uint8Array }>()
  return BlockStore.of({
    reader: {
      read: (cid) => {
        const node = nodes.get(cid.key)
        return node === undefined ? undefined : { blocks: [node.bytes] }
      }
    },
    write: ({ created, removed }, rev, overlay) => {
      for (const cid of removed.map((node) => node.cid!)) {
        const node = nodes.get(cid.key)
        if (node !== undefined && overlay.keeps(node.rev)) overlay.save(cid.key, node.bytes)
        nodes.delete(cid.key)
      }
      for (const { cid, bytes } of blocksOf(created)) nodes.set(cid.key, { rev, bytes })
    },
    fill: (tree, rev) => {
      for (const entry of preOrder(tree)) {
        if (entry.kind === "node")
          nodes.set(cidForCbor(entry.bytes).key, { rev, bytes: entry.bytes })
      }
    },
    revOf: ({ cid }) => nodes.get(cid?.key ?? "")?.rev,
    carShare: (after, limit) => {
      const counted = [...nodes.values()].slice(after + 1, after + 1 + limit)
      const length = counted.reduce((sum, { bytes }) => sum + carBlockLength(bytes.length), 0)
      return { length, last: counted.length < limit ? undefined : after + limit }
    },
    snapshot: (overlay) => ({
      read: (cid) => {
        const bytes = nodes.get(cid.key)?.bytes ?? overlay.get(cid.key)
        return bytes === undefined ? undefined : { blocks: [bytes] }
      }
    })
  })
})
