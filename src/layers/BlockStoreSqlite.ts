import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import { Cid } from "../repo/cid.ts"
import { decodeCluster } from "../repo/mst/clusterCodec.ts"
import { allClusters, clusterDiff } from "../repo/mst/clusters.ts"
import type { Tree } from "../repo/mst/Tree.ts"
import { BlockStore } from "../services/BlockStore.ts"
import type { Overlay } from "../services/Overlay.ts"
import { bytesOf, SqlStorage } from "../services/SqlStorage.ts"

/** Tree nodes in clusters: a node with its descendants down to the next third layer is one row. */
export const tables = [
  `CREATE TABLE IF NOT EXISTS cluster (
    cid BLOB PRIMARY KEY, rev TEXT NOT NULL, bytes BLOB NOT NULL
  ) WITHOUT ROWID`
]

/** The tree's nodes in the object's SQLite. */
export const layer = Layer.effect(
  BlockStore,
  Effect.gen(function* () {
    const sql = yield* SqlStorage

    const row = (cid: Cid): Uint8Array | undefined => {
      for (const [bytes] of sql.exec("SELECT bytes FROM cluster WHERE cid = ?", cid.bytes).raw()) {
        return bytesOf(bytes)
      }
      return undefined
    }

    const save = (cid: Cid, overlay: Overlay): void => {
      if (!overlay.active) return
      const bytes = row(cid)
      if (bytes !== undefined) overlay.save(cid.key, bytes)
    }

    const write = (before: Tree, after: Tree, rev: string, overlay: Overlay): void => {
      const { removed, written } = clusterDiff(before, after)
      const replaced = new Set(written.map((cluster) => cluster.replaces?.key))
      for (const cid of removed) save(cid, overlay)
      for (const { cid, bytes, replaces } of written) {
        // Moving a row to its new key bills one row written; deleting and inserting bills two.
        if (replaces === undefined) insert(cid, rev, bytes)
        else {
          sql.exec(
            "UPDATE cluster SET cid = ?, rev = ?, bytes = ? WHERE cid = ?",
            cid.bytes,
            rev,
            bytes,
            replaces.bytes
          )
        }
      }
      for (const cid of removed) {
        if (!replaced.has(cid.key)) sql.exec("DELETE FROM cluster WHERE cid = ?", cid.bytes)
      }
    }

    const insert = (cid: Cid, rev: string, bytes: Uint8Array): void => {
      sql.exec(
        "INSERT OR REPLACE INTO cluster (cid, rev, bytes) VALUES (?, ?, ?)",
        cid.bytes,
        rev,
        bytes
      )
    }

    return BlockStore.of({
      reader: {
        read: (cid) => {
          const bytes = row(cid)
          return bytes === undefined ? undefined : decodeCluster(bytes)
        }
      },
      write,
      fill: (tree, rev) => {
        for (const { cid, bytes } of allClusters(tree)) insert(cid, rev, bytes)
      },
      snapshot: (overlay) => ({
        read: (cid) => {
          const bytes = row(cid) ?? overlay.get(cid.key)
          return bytes === undefined ? undefined : decodeCluster(bytes)
        }
      })
    })
  })
)
