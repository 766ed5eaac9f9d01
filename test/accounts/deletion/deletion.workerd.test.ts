import { assert, describe, it } from "@effect/vitest"
import { runInDurableObject } from "cloudflare:test"
import type { AccountStub, CallAnswer } from "../../../src/layers/objects/AccountsObject.ts"
import type { PendingCode } from "../../../src/services/mail/AccountCodes.ts"
import {
  bindings,
  BLOBS,
  fetchWorker,
  newPerson,
  objectOf,
  procedure
} from "../../host/workerdWorld.ts"

/** The one pending code in an account's object. */
const waitingCode = async (did: string): Promise<string> => {
  // SAFETY: the object's class has this method, which returns what this call returns.
  const object = objectOf(did) as unknown as AccountStub
  const answer: CallAnswer = await object.call("pendingCodes")
  assert.isTrue("output" in answer)
  const [pending] = (answer as { readonly output: ReadonlyArray<PendingCode> }).output
  return pending?.code ?? ""
}

/** Makes an access token, which the account's object then has in memory; returns its header. */
const newToken = async (authorization: string): Promise<string> => {
  const response = await fetchWorker("/manage/tokens/create", {
    method: "POST",
    headers: { authorization, "content-type": "application/json" },
    body: JSON.stringify({ name: "reader" })
  })
  const { token } = await response.json<{ token: string }>()
  return `Bearer ${token}`
}

const sessionStatus = async (authorization: string): Promise<number> => {
  const nsid = "com.atproto.server.getSession"
  const response = await fetchWorker(`/xrpc/${nsid}`, { headers: { authorization } })
  await response.body?.cancel()
  return response.status
}

const tablesOf = (did: string): Promise<ReadonlyArray<unknown>> =>
  runInDurableObject(objectOf(did), (_object, { storage }) =>
    storage.sql
      .exec("SELECT name FROM sqlite_master WHERE type = 'table' AND name NOT GLOB '_cf_*'")
      .toArray()
  )

describe("account deletion on the Worker", () => {
  it("the Worker deletes an account's object, blobs and names, and accepts the same DID again", async () => {
    const who = await newPerson()
    const { did, handle, authorization } = who
    const uploaded = await fetchWorker("/xrpc/com.atproto.repo.uploadBlob", {
      method: "POST",
      headers: { authorization, "content-type": "text/plain" },
      body: "bytes that must go"
    })
    assert.strictEqual(uploaded.status, 200)
    await uploaded.body?.cancel()
    const token = await newToken(authorization)
    await sessionStatus(token)
    // Its first use has written its row; this one leaves it in memory.
    assert.strictEqual(await sessionStatus(token), 200)
    const before = (await BLOBS.list()).objects.length
    const asked = await fetchWorker("/xrpc/com.atproto.server.requestAccountDelete", {
      method: "POST",
      headers: { authorization }
    })
    assert.strictEqual(asked.status, 200)
    const nsid = "com.atproto.server.deleteAccount"
    const input = { did, password: "a long password", token: await waitingCode(did) }
    const deleted = await fetchWorker(`/xrpc/${nsid}`, {
      method: "POST",
      headers: { "content-type": "application/json" },
      body: JSON.stringify(input)
    })
    assert.strictEqual(deleted.status, 200)
    assert.deepStrictEqual(await tablesOf(did), [])
    assert.strictEqual((await BLOBS.list()).objects.length, before - 1)
    const status = await fetchWorker(`/xrpc/com.atproto.sync.getRepoStatus?did=${did}`)
    assert.strictEqual((await status.json<{ error: string }>()).error, "RepoNotFound")
    const admin = `Basic ${btoa(`admin:${bindings.ADMIN_PASSWORD}`)}`
    const again = { did, handle, password: "another password", email: "again@example.com" }
    const made = await procedure("com.atproto.server.createAccount", admin, again)
    assert.strictEqual(await sessionStatus(token), 400)
    const record = { $type: "app.bsky.feed.post", text: "back", createdAt: "2026-01-01T00:00:00Z" }
    await procedure("com.atproto.repo.createRecord", `Bearer ${String(made["accessJwt"])}`, {
      repo: did,
      collection: "app.bsky.feed.post",
      record
    })
  })
})
