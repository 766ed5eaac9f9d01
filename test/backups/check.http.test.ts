import { afterAll, assert, beforeAll, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import { Accounts, AccountUnavailable } from "../../src/services/accounts/Accounts.ts"
import { Budget } from "../../src/services/backups/Budget.ts"
import { checkServer } from "../../src/services/backups/checkAccount.ts"
import { BlobStore } from "../../src/services/blobs/BlobStore.ts"
import { SqlStorage } from "../../src/services/host/SqlStorage.ts"
import { basic, type Host, startHost } from "../support/http/httpHost.ts"
import { ok, signUp } from "../support/http/httpWorld.ts"

let host: Host
beforeAll(async () => {
  host = await startHost()
})
afterAll(() => host.close())

const check = async (account: string) =>
  ok(await host.ask(`/admin/check?account=${account}`, { auth: basic() })) as {
    readonly records: number
    readonly blobs: number
    readonly missing: number
    readonly problems: ReadonlyArray<string>
  }

/** Changes an account's rows without the server's knowledge. */
const spoil = (did: string, ...statements: ReadonlyArray<string>) =>
  host.inside(
    did,
    Effect.map(SqlStorage, (sql) => {
      for (const statement of statements) sql.exec(statement)
    })
  )

describe("a check of an account", () => {
  it("a sound account has no problems, and the check reads its records and blobs", async () => {
    const { handle } = await signUp(host, "sound")
    assert.deepInclude(await check(handle), { records: 2, blobs: 1, missing: 0, problems: [] })
  })

  it("a check names a changed record", async () => {
    const { did } = await signUp(host, "changed")
    await spoil(did, "UPDATE record SET value = x'a0' WHERE path LIKE 'app.bsky.feed.post/%'")
    const { problems } = await check(did)
    assert.lengthOf(problems, 1)
    assert.match(problems[0] ?? "", /damaged|export/)
  })

  it("a check names a lost reference to a blob", async () => {
    const { did, avatar } = await signUp(host, "counts")
    await spoil(did, "DELETE FROM blob")
    const { problems } = await check(did)
    assert.deepStrictEqual(problems, [
      `the reference to the blob ${avatar} is lost`,
      "the total size of the blobs is wrong"
    ])
  })

  it("a check names a blob whose bytes are missing or changed", async () => {
    const { did, avatar } = await signUp(host, "blobs")
    const keys = await host.inside(
      did,
      Effect.map(SqlStorage, (sql) =>
        sql.exec<{ key: string }>("SELECT key FROM blob WHERE key IS NOT NULL").toArray()
      )
    )
    const { key } = keys[0]!
    const store = await host.beneath(Effect.map(BlobStore, (blobs) => blobs))
    const other = new Blob(["other"]).stream()
    await Effect.runPromise(store.put(key, other, { limit: 5, length: 5 }))
    assert.deepStrictEqual((await check(did)).problems, [`the blob ${avatar} has other bytes`])
    await Effect.runPromise(store.delete([key]))
    assert.deepStrictEqual((await check(did)).problems, [
      `the blob ${avatar} is missing in the blob store`
    ])
  })

  it("a check of every account names one that can't be reached, and checks the others", async () => {
    const { did: broken } = await signUp(host, "unreachable")
    const { did: last } = await signUp(host, "behind")
    await spoil(last, "DELETE FROM blob")
    const checking = Effect.gen(function* () {
      const accounts = yield* Accounts
      const call: typeof accounts.call = (did, method, ...input) =>
        did === broken
          ? Effect.fail(new AccountUnavailable({ operation: method, did }))
          : accounts.call(did, method, ...input)
      const budget = new Budget({ until: Infinity, operations: Infinity })
      return yield* Effect.provideService(
        checkServer({ account: "", blob: undefined }, budget),
        Accounts,
        { ...accounts, call }
      )
    })
    const { next, problems } = await host.beneath(checking)
    assert.isUndefined(next)
    const problemsOf = (one: string) => problems.filter(({ did }) => did === one)
    assert.deepStrictEqual(
      problemsOf(broken).map(({ problem }) => problem),
      ["the account can't be read at the moment: the server's log says why"]
    )
    assert.isAbove(problemsOf(last).length, 0)
  })

  it("a check of an account that isn't here is a 400, at its start and behind a blob", async () => {
    for (const more of ["", "&after=bafkreia"]) {
      const path = `/admin/check?account=did:plc:aaaaaaaaaaaaaaaaaaaaaaaa${more}`
      const { status, body } = await host.ask(path, { auth: basic() })
      assert.deepStrictEqual([status, body["error"]], [400, "RepoNotFound"])
    }
  })

  it("a check is only for the administrator", async () => {
    const { did, auth } = await signUp(host, "owner")
    const { status } = await host.ask(`/admin/check?account=${did}`, { auth })
    assert.strictEqual(status, 401)
  })
})
