import type { SqlStorage } from "../../services/host/SqlStorage.ts"
import { noteWait } from "../blobs/blobRows.ts"

type Sql = SqlStorage["Service"]

/** How often each blob is referred to, with a record that does. */
const counted =
  "(SELECT cid, COUNT(*) AS refs, MIN(path) AS path FROM blob_ref GROUP BY cid) AS used"

/**
 * Brings the blobs' rows to what all references together say, after these were replaced as a whole.
 *
 * What is no longer referred to becomes temporary, what is referred to and here permanent, all else expected.
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
