import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import { sameBytes } from "../../core/bytes/bytes.ts"
import { carBlockLength } from "../../core/repo/car.ts"
import type { Cid } from "../../core/repo/cid.ts"
import { decodeCluster, decodeRows, encodeRows } from "../../core/repo/mst/clusterCodec.ts"
import { allClusters, type Cluster, clusterDiff } from "../../core/repo/mst/clusters.ts"
import type { TreeChange } from "../../core/repo/mst/diff.ts"
import type { Found } from "../../core/repo/mst/loader.ts"
import { BlockStore } from "../../services/repo/BlockStore.ts"
import type { Overlay } from "../../services/repo/Overlay.ts"
import { bytesOf, SqlStorage } from "../../services/host/SqlStorage.ts"
import type { Bounds } from "../host/sql/bounds.ts"

/**
 * Tree nodes in clusters: a node with its descendants down to the next third layer is one row.
 *
 * The key is a number rather than the CID: in a table without row ids, SQLite reads whole rows, to
 * the last page, to compare keys. `below` lists the rows of the clusters below, so no index is
 * needed.
 */
export const tables = [
  `CREATE TABLE IF NOT EXISTS cluster (
    id INTEGER PRIMARY KEY, cid BLOB NOT NULL, rev TEXT NOT NULL, below BLOB NOT NULL, bytes BLOB NOT NULL
  )`
]

/** Stores a cluster in a new row. */
export const insertCluster = (
  sql: SqlStorage["Service"],
  table: string,
  { row, cid, bytes, below }: Cluster,
  rev: string
): void => {
  sql.exec(
    `INSERT INTO ${table} (id, cid, rev, below, bytes) VALUES (?, ?, ?, ?, ?)`,
    row,
    cid.bytes,
    rev,
    encodeRows(below),
    bytes
  )
}

const foundIn = (below: Uint8Array, bytes: Uint8Array): Found => ({
  blocks: decodeCluster(bytes),
  below: decodeRows(below)
})

/** Keeps the tree's nodes in the object's SQLite. */
export const layer = Layer.effect(
  BlockStore,
  Effect.gen(function* () {
    const sql = yield* SqlStorage

    /** Reads the row if it holds this cluster. */
    const rowOf = (cid: Cid, row: number) => {
      for (const [stored, rev, below, bytes] of sql
        .exec("SELECT cid, rev, below, bytes FROM cluster WHERE id = ?", row)
        .raw()) {
        if (sameBytes(bytesOf(stored), cid.bytes)) {
          return { rev: String(rev), below: bytesOf(below), bytes: bytesOf(bytes) }
        }
      }
      return undefined
    }

    const at = (cid: Cid, row: number | undefined): Found | undefined => {
      const found = row === undefined ? undefined : rowOf(cid, row)
      return found === undefined ? undefined : foundIn(found.below, found.bytes)
    }

    /** Scans all rows for a cluster whose row is unknown. */
    const find = (cid: Cid): number | undefined => {
      for (const [id] of sql.exec("SELECT id FROM cluster WHERE cid = ?", cid.bytes).raw()) {
        return Number(id)
      }
      return undefined
    }

    const lastRow = (): number => {
      for (const [id] of sql.exec("SELECT MAX(id) FROM cluster").raw()) return Number(id)
      return 0
    }

    const save = (cid: Cid, row: number, overlay: Overlay): void => {
      const found = overlay.active ? rowOf(cid, row) : undefined
      if (found === undefined || !overlay.keeps(found.rev)) return
      overlay.save(cid.key, found.bytes)
      overlay.save(belowOf(cid), found.below)
    }

    const write = (change: TreeChange, rev: string, overlay: Overlay): void => {
      let last: number | undefined
      const next = (): number => (last = (last ?? lastRow()) + 1)
      const { removed, written, freed } = clusterDiff(change, { next, find })
      for (const { cid, row } of removed) save(cid, row, overlay)
      for (const cluster of written) {
        if (cluster.isNew) insertCluster(sql, "cluster", cluster, rev)
        else {
          sql.exec(
            "UPDATE cluster SET cid = ?, rev = ?, below = ?, bytes = ? WHERE id = ?",
            cluster.cid.bytes,
            rev,
            encodeRows(cluster.below),
            cluster.bytes,
            cluster.row
          )
        }
      }
      for (const row of freed) sql.exec("DELETE FROM cluster WHERE id = ?", row)
    }

    return BlockStore.of({
      reader: { read: (cid, row) => at(cid, row) ?? at(cid, find(cid)) },
      write,
      fill: (tree, rev) => {
        for (const cluster of allClusters(tree)) insertCluster(sql, "cluster", cluster, rev)
      },
      revOf: ({ cid, row }) =>
        cid === undefined || row === undefined ? undefined : rowOf(cid, row)?.rev,
      carShare: (after, limit) => {
        let length = 0
        let last = after
        let count = 0
        const query = "SELECT id, bytes FROM cluster WHERE id > ? ORDER BY id LIMIT ?"
        for (const [id, bytes] of sql.exec(query, after, limit).raw()) {
          for (const block of decodeCluster(bytesOf(bytes))) length += carBlockLength(block.length)
          last = Number(id)
          count++
        }
        return { length, last: count === limit ? last : undefined }
      },
      snapshot: (overlay) => ({
        read: (cid, row) => {
          const found = at(cid, row)
          if (found !== undefined) return found
          const bytes = overlay.get(cid.key)
          const below = overlay.get(belowOf(cid))
          return bytes === undefined || below === undefined
            ? at(cid, find(cid))
            : foundIn(below, bytes)
        }
      })
    })
  })
)

/** The overlay's key for the rows below a cluster. */
const belowOf = (cid: Cid): string => `${cid.key} below`

/** The limits of these tables. */
export const bounds = (): Bounds => ({
  cluster: {
    filledBy: "its owner's writes",
    bound: "the tree of its records",
    bytes: 10_000_000_000,
    per: "account"
  }
})
