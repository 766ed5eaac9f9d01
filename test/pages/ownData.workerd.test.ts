import { assert, describe, it } from "@effect/vitest"
import type { CallInput, CallName } from "../../src/services/accounts/AccountCalls.ts"
import { usersRows } from "../../src/services/blobs/ownBlobs.ts"
import { collectionsAPage, talliedRows } from "../../src/services/repo/ownRecords.ts"
import { rowsAt, rowsOf } from "../host/billing.ts"
import { newPerson, objectOf } from "../host/workerdWorld.ts"

const calls = (did: string) => {
  // SAFETY: the object's RPC method.
  const object = objectOf(did) as unknown as {
    call(...input: ReadonlyArray<unknown>): Promise<{ readonly output?: unknown }>
  }
  const context = { requestId: undefined, origin: { from: {} } }
  return async <K extends CallName>(most: number, method: K, ...input: CallInput<K>) => {
    const run = () => object.call(method, ...input, context)
    assert.isDefined((await run()).output, method)
    let rows = await rowsOf(run)
    // Repeated if an alarm, of whatever object, interfered.
    for (let again = 0; again < 5 && (rows.read > most || rows.written > 0); again++) {
      rows = await rowsOf(run)
    }
    assert.isAtMost(rows.read, most, method)
    assert.strictEqual(rows.written, 0, method)
  }
}

describe("the rows that the pages of an owner’s data read", () => {
  it("a page of an owner's data reads a bounded number of rows, however many records and files there are", async () => {
    const { applyWrites, did } = await newPerson()
    await applyWrites(100)
    const many = (count: number) =>
      `WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < ${count})`
    const object = objectOf(did)
    const record = "SELECT cid, rev, value FROM record LIMIT 1"
    for (const kind of ["a", "b", "c", "d"]) {
      await rowsAt(
        object,
        `${many(30_000)} INSERT INTO record SELECT 'com.example.${kind}/' || printf('%07d', i), cid, rev, value FROM n, (${record})`
      )
    }
    const kinds = `'com.example.z' || printf('%04d', i) || '/self'`
    await rowsAt(
      object,
      `${many(500)} INSERT INTO record SELECT ${kinds}, cid, rev, value FROM n, (${record})`
    )
    await rowsAt(
      object,
      `${many(30_000)} INSERT INTO blob (state, id, key, mime, size, refs) SELECT 3, 'bafk' || i, i, 'image/png', 1, 1 FROM n`
    )
    await rowsAt(
      object,
      `${many(30_000)} INSERT INTO blob_ref SELECT 'com.example.a/' || printf('%07d', i), 'bafk' || i FROM n`
    )
    const call = calls(did)
    // One row to find each collection, and one beyond the page.
    const most = talliedRows + collectionsAPage + 2
    await call(most, "ownCollections", {})
    await call(most, "ownCollections", { after: "com.example.z0200" })
    const page = { collection: "com.example.a", limit: 25, ascending: false }
    await call(27, "ownRecords", page)
    await call(27, "ownRecords", { ...page, after: "0015000" })
    await call(27, "ownRecords", {
      ...page,
      from: "0015",
      before: "0015\u{10ffff}",
      after: "0015500"
    })
    await call(3, "ownRecord", "com.example.a/0015000")
    await call(26, "ownBlobs", { limit: 24 })
    await call(26, "ownBlobs", { limit: 24, cursor: "3:bafk15000" })
    await call(4, "ownBlob", "bafk15000")
    await call(usersRows + 1, "blobUsers", { cid: "bafk29000" })
  })
})
