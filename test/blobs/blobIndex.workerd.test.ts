import { assert, describe, it } from "@effect/vitest"
import { runInDurableObject } from "cloudflare:test"
import { make } from "../../src/layers/host/sql/SqlStorageDurable.ts"
import { Bill, hour, indexOver, start, upload } from "./blobIndex.fixture.ts"
import { blobIndexContract } from "./blobIndex.contract.ts"
import { ACCOUNT } from "../host/workerdWorld.ts"

let made = 0

// An object without an account has an empty database.
blobIndexContract("a Durable Object", async (body) => {
  const stub = ACCOUNT.get(ACCOUNT.idFromName(`did:web:blob-index-${made++}.test`))
  await runInDurableObject(stub, (_object, state) => body(make(state.storage)))
})

interface Counted {
  readonly rowsRead: number
}

describe("an upload among a thousand without references", () => {
  it("an upload and an alarm bill the same rows with a thousand waiting uploads as with none", async () => {
    const grace = 6 * hour
    const costs: Array<ReadonlyArray<number>> = []
    for (const waiting of [0, 1000]) {
      const stub = ACCOUNT.get(ACCOUNT.idFromName(`did:web:blob-index-${made++}.test`))
      await runInDurableObject(stub, (_object, state) => {
        const sql = make(state.storage)
        let cursors: Array<Counted> = []
        const counting: typeof sql = {
          ...sql,
          exec: (query, ...bindings) => {
            const cursor = sql.exec<never>(query, ...bindings)
            cursors.push(cursor as unknown as Counted)
            return cursor
          }
        }
        const index = indexOver(counting)
        const bill = new Bill()
        const written = indexOver(bill.over(sql))
        upload(index, -1)
        for (let n = 0; n < waiting; n++) upload(index, n)
        cursors = []
        upload(index, 5000)
        assert.strictEqual(index.nextSweep(grace), start + grace)
        const read = cursors.reduce((sum, { rowsRead }) => sum + rowsRead, 0)
        costs.push([read, bill.of(() => upload(written, 5001))])
      })
    }
    assert.deepStrictEqual(costs[1], costs[0])
    assert.isAtMost(costs[0]![0]!, 10)
  })
})
