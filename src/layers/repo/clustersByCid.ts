import { decodeCluster } from "../../core/repo/mst/clusterCodec.ts"
import { allClusters } from "../../core/repo/mst/clusters.ts"
import type { NodeReader } from "../../core/repo/mst/loader.ts"
import { Tree } from "../../core/repo/mst/Tree.ts"
import { bytesOf, type SqlStorage } from "../../services/host/SqlStorage.ts"
import * as BlockStore from "./BlockStoreSqlite.ts"
import { readHead } from "./RepoHeadSqlite.ts"

type Sql = SqlStorage["Service"]

/** Whether a table `cluster`, by the statement that made it, is one of version 0.1: its clusters have no numbers. */
export const isByCid = (statement: string): boolean => statement.includes("cid BLOB PRIMARY KEY")

/** An old table's name, which the alarm's sweep after imports clears: where a cursor is open, none can be dropped. */
const old = "import_cluster_by_cid"

/** Gives the clusters of version 0.1 their rows, in one transaction. */
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
