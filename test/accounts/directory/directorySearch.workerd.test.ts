import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as DirectoryD1 from "../../../src/layers/accounts/DirectoryD1.ts"
import * as HostDatabaseD1 from "../../../src/layers/host/sql/HostDatabaseD1.ts"
import { Directory } from "../../../src/services/accounts/Directory.ts"
import { rowsOf } from "../../host/billing.ts"
import { DIRECTORY } from "../../host/workerdWorld.ts"

const accounts = 300
const page = 50

/** A directory with 300 accounts; each tenth is taken down. */
const directory = async () => {
  const layer = DirectoryD1.layer.pipe(Layer.provide(HostDatabaseD1.layer(DIRECTORY)))
  const service = await Effect.runPromise(Effect.provide(Directory, layer))
  await DIRECTORY.prepare("DROP TABLE IF EXISTS accounts").run()
  await Effect.runPromise(service.byDid("did:web:nobody.example"))
  const insert = DIRECTORY.prepare(
    "INSERT INTO accounts (did, handle, email, status, created_at) VALUES (?, ?, ?, ?, 0)"
  )
  await DIRECTORY.batch(
    Array.from({ length: accounts }, (_, at) =>
      insert.bind(
        `did:web:${at}.example`,
        `person${String(at).padStart(3, "0")}.test`,
        `p${at}@mail.test`,
        at % 10 === 0 ? "takendown" : "active"
      )
    )
  )
  return service
}

describe("the search of 300 accounts in D1", () => {
  it("a page of 50 accounts reads two rows for each, and a search at most two for each account", async () => {
    const service = await directory()
    const read = async (asked: Parameters<typeof service.search>[0]) => {
      let found: Effect.Success<ReturnType<typeof service.search>> | undefined
      const { d1Read, d1Written } = await rowsOf(async () => {
        found = await Effect.runPromise(service.search(asked))
      })
      assert.strictEqual(d1Written, 0)
      return { d1Read, count: found?.accounts.length, next: found?.next }
    }
    const first = await read({ limit: page })
    assert.deepStrictEqual([first.count, first.next], [page, "person049.test"])
    assert.isAtMost(first.d1Read, 2 * page + 2)
    const second = await read({ limit: page, after: first.next })
    assert.isAtMost(second.d1Read, 2 * page + 2)
    const last = await read({ limit: page, text: "person299" })
    assert.deepStrictEqual([last.count, last.next], [1, undefined])
    assert.isAtMost(last.d1Read, 2 * accounts + 2)
    const down = await read({ limit: page, status: "takendown" })
    assert.strictEqual(down.count, accounts / 10)
    assert.isAtMost(down.d1Read, 2 * accounts + 2)
  })
})
