import type { SqlStorage } from "../../services/host/SqlStorage.ts"
import { noteWait } from "../blobs/blobRows.ts"

type Sql = SqlStorage["Service"]

/** How many records refer to each blob, and one of them. */
const counted =
  "(SELECT cid, COUNT(*) AS refs, MIN(path) AS path FROM blob_ref GROUP BY cid) AS used"

/**
 * Updates the blobs' rows after an import replaced all references.
 *
 * A blob without references becomes temporary, one with references permanent if it is stored here,
 * else expected.
 */
export const recountBlobs = (sql: Sql, rev: string, now: number): void => {
  noteWait(sql, now)
  sql.exec(
    `UPDATE blob SET state = 1, refs = 0, rev = NULL, since = ?
     WHERE state = 3 AND id NOT IN (SELECT cid FROM blob_ref)`,
    now
  )
  sql.exec("DELETE FROM blob WHERE state = 2 AND id NOT IN (SELECT cid FROM blob_ref)")
  sql.exec(
    `UPDATE blob SET refs = used.refs, path = used.path FROM ${counted}
     WHERE state = 2 AND id = used.cid AND (blob.refs <> used.refs OR blob.path <> used.path)`
  )
  sql.exec(
    `UPDATE blob SET refs = used.refs FROM ${counted}
     WHERE state = 3 AND id = used.cid AND blob.refs <> used.refs`
  )
  sql.exec(
    `UPDATE blob SET state = 3, refs = used.refs, rev = ?, since = NULL FROM ${counted}
     WHERE state = 1 AND id = used.cid`,
    rev
  )
  sql.exec(
    `INSERT INTO blob (state, id, refs, path, rev) SELECT 2, used.cid, used.refs, used.path, ? FROM ${counted}
     WHERE used.cid NOT IN (SELECT id FROM blob WHERE state IN (2, 3))`,
    rev
  )
}
