import { decodeCluster } from "../../core/repo/mst/clusterCodec.ts"
import { allClusters } from "../../core/repo/mst/clusters.ts"
import type { NodeReader } from "../../core/repo/mst/loader.ts"
import { Tree } from "../../core/repo/mst/Tree.ts"
import { bytesOf, type SqlStorage } from "../../services/host/SqlStorage.ts"
import * as BlockStore from "./BlockStoreSqlite.ts"
import { readHead } from "./RepoHeadSqlite.ts"

type Sql = SqlStorage["Service"]

/**
 * Whether the SQL statement of a table `cluster` is version 0.1's, whose clusters have no numbers.
 */
export const isByCid = (statement: string): boolean => statement.includes("cid BLOB PRIMARY KEY")

/**
 * The old table's new name, which the sweep after imports clears: a table cannot be dropped while a
 * cursor is open.
 */
const old = "import_cluster_by_cid"

/** Numbers the clusters of version 0.1, in one transaction. */
export const numberClusters = (sql: Sql): void => {
  const rows = (cid: Uint8Array) => [
    ...sql.exec(`SELECT rev, bytes FROM ${old} WHERE cid = ?`, cid).raw()
  ]
  const reader: NodeReader = {
    read: (cid) => {
      const [row] = rows(cid.bytes)
      return row === undefined ? undefined : { blocks: decodeCluster(bytesOf(row[1])) }
    }
  }
  sql.transaction(() => {
    sql.exec(`ALTER TABLE cluster RENAME TO ${old}`)
    for (const table of BlockStore.tables) sql.exec(table)
    const head = readHead(sql)?.head
    if (head === undefined) return
    for (const cluster of allClusters(Tree.load(reader, head.root))) {
      const rev = rows(cluster.cid.bytes)[0]?.[0]
      BlockStore.insertCluster(sql, "cluster", cluster, String(rev ?? head.rev))
    }
  })
}
