import { afterAll, assert, beforeAll, describe, it } from "@effect/vitest"
import { newestActs } from "../../support/http/consolePages.ts"
import { basic } from "../../support/http/httpHost.ts"
import { ok, outcomeOf, png, signUp, startWorld, type World } from "../../support/http/httpWorld.ts"

let world: World

beforeAll(async () => {
  world = await startWorld({ BLOB_QUOTA: "2000" })
})
afterAll(() => world.close())

const set = (account: string, bytes: number | null) =>
  world.ask("/admin/accounts/quota", { auth: basic(), input: { account, bytes } })

const storageOf = async (account: string) =>
  ok(await world.ask(`/admin/accounts/quota?account=${account}`, { auth: basic() }))

const upload = (auth: string, content: string) =>
  world.call("com.atproto.repo.uploadBlob", {
    auth,
    body: png(content) as Uint8Array<ArrayBuffer>,
    headers: { "content-type": "image/png" }
  })

describe("an account's own storage quota", () => {
  it("an account stores up to its own quota, and the server's again without one", async () => {
    const { auth, did, handle } = await signUp(world, "keeper")
    const { used } = await storageOf(handle)
    assert.isAbove(used, 0)
    assert.deepInclude(await storageOf(did), { did, handle, quota: 2000, isOwn: false })

    const given = ok(await set(handle, used + 100))
    assert.deepInclude(given, { did, handle, used, quota: used + 100, isOwn: true })
    const [entry] = await newestActs(world)
    assert.deepInclude(entry, { act: "/admin/accounts/quota", actor: "password", subject: did })
    assert.deepStrictEqual(entry!.before, { quota: null })
    assert.deepStrictEqual(entry!.after, { quota: used + 100 })

    const refused = await upload(auth, "x".repeat(100))
    assert.strictEqual(outcomeOf(refused), "400 BlobQuotaExceeded")
    assert.include(refused.body["message"], `${used} bytes of blobs, of ${used + 100} allowed`)
    assert.strictEqual((await storageOf(did))["used"], used)
    ok(await upload(auth, "x"))

    ok(await set(handle, 1))
    assert.strictEqual(outcomeOf(await upload(auth, "y")), "400 BlobQuotaExceeded")
    ok(await set(handle, null))
    assert.deepInclude(await storageOf(did), { quota: 2000, isOwn: false })
    ok(await upload(auth, "y"))
    assert.strictEqual(outcomeOf(await upload(auth, "z".repeat(2000))), "400 BlobQuotaExceeded")
    ok(await set(handle, 0))
    ok(await upload(auth, "z".repeat(2000)))
  })

  it("the account's history has each change once", async () => {
    const { did } = await signUp(world, "changed")
    ok(await set(did, 5e9))
    ok(await set(did, 5e9))
    ok(await set(did, 0))
    ok(await set(did, null))
    const page = await world.ask(`/admin/accounts/history?account=${did}`, { auth: basic() })
    const changes = ok(page)["entries"].filter(({ kind }: { kind: string }) => kind === "quota")
    assert.deepStrictEqual(
      changes.map((entry: { before: string; after: string }) => [entry.before, entry.after]),
      [
        ["no limit", "default"],
        ["5 GB", "no limit"],
        ["default", "5 GB"]
      ]
    )
    assert.deepInclude(changes[0], { by: "operator" })
  })

  it("a wrong quota and an unknown account change nothing", async () => {
    for (const bytes of [-1, 1.5, "5GB", undefined]) {
      const input = { account: world.alice.did, bytes }
      const answer = await world.ask("/admin/accounts/quota", { auth: basic(), input })
      assert.strictEqual(answer.status, 400, String(bytes))
    }
    assert.strictEqual((await set("nobody.test", 5)).status, 400)
    assert.deepInclude(await storageOf(world.alice.did), { isOwn: false })
  })
})
