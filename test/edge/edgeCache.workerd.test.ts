import { assert, describe, it } from "@effect/vitest"
import { runInDurableObject } from "cloudflare:test"
import * as Effect from "effect/Effect"
import * as EdgeCacheWorkers from "../../src/layers/edge/EdgeCacheWorkers.ts"
import { EdgeCache } from "../../src/services/edge/EdgeCache.ts"
import { edgeCacheContract } from "./edgeCache.contract.ts"
import { bindings, fetchWorker, newPerson, objectOf, procedure } from "../host/workerdWorld.ts"

edgeCacheContract(
  "the Worker's cache",
  Effect.runSync(Effect.provide(EdgeCache, EdgeCacheWorkers.layer))
)

const admin = `Basic ${btoa(`admin:${bindings.ADMIN_PASSWORD}`)}`

describe("the edge cache on the Worker", () => {
  it("the Worker serves a cached blob without its account, until the account takes it back", async () => {
    const { did, authorization } = await newPerson()
    const bytes = new Uint8Array(100_000).map((_, at) => at % 251)
    const uploaded = await fetchWorker("/xrpc/com.atproto.repo.uploadBlob", {
      method: "POST",
      headers: { authorization, "content-type": "application/octet-stream" },
      body: bytes
    })
    const { blob } = await uploaded.json<{ blob: { ref: { $link: string } } }>()
    const cid = blob.ref.$link
    const collection = "com.example.note"
    const place = { repo: did, collection, rkey: "one" }
    const record = { $type: collection, file: blob }
    await procedure("com.atproto.repo.putRecord", authorization, { ...place, record })
    const read = (headers: HeadersInit = {}) =>
      fetchWorker(`/xrpc/com.atproto.sync.getBlob?did=${did}&cid=${cid}`, { headers })
    const readStatus = async (): Promise<number> => {
      const answer = await read()
      await answer.arrayBuffer()
      return answer.status
    }
    const behindItsBack = (takedown: string | null) =>
      runInDurableObject(objectOf(did), (_object, { storage }) => {
        storage.sql.exec("UPDATE blob SET takedown = ? WHERE id = ?", takedown, cid).toArray()
      })

    assert.strictEqual(await readStatus(), 200)
    await behindItsBack("unseen")
    // The cache is filled after the response.
    while ((await readStatus()) !== 200) {
      await behindItsBack(null)
      await readStatus()
      await behindItsBack("unseen")
    }
    const whole = await read()
    assert.deepStrictEqual(new Uint8Array(await whole.arrayBuffer()), bytes)
    const part = await read({ range: "bytes=1000-1999" })
    assert.strictEqual(part.status, 206)
    assert.deepStrictEqual(new Uint8Array(await part.arrayBuffer()), bytes.slice(1000, 2000))
    const same = await read({ "if-none-match": `"${cid}"` })
    assert.strictEqual(same.status, 304)

    await behindItsBack(null)
    const subject = { $type: "com.atproto.admin.defs#repoBlobRef", did, cid }
    const takedown = (applied: boolean) =>
      procedure("com.atproto.admin.updateSubjectStatus", admin, { subject, takedown: { applied } })
    await takedown(true)
    assert.strictEqual(await readStatus(), 400)
    await takedown(false)
    assert.strictEqual(await readStatus(), 200)
    assert.strictEqual(await readStatus(), 200)
    await procedure("com.atproto.repo.deleteRecord", authorization, place)
    assert.strictEqual(await readStatus(), 400)
  })
})
