import { assert, describe, it } from "@effect/vitest"
import { evictDurableObject, runDurableObjectAlarm, runInDurableObject } from "cloudflare:test"
import { bindings, fetchWorker, newPerson, objectOf } from "../host/workerdWorld.ts"

const hour = 3_600_000

const act = async (path: string, account: string) => {
  const answer = await fetchWorker(`/admin/accounts/${path}`, {
    method: "POST",
    headers: {
      authorization: `Basic ${btoa(`admin:${bindings.ADMIN_PASSWORD}`)}`,
      "content-type": "application/json"
    },
    body: JSON.stringify({ account })
  })
  assert.strictEqual(answer.status, 200, await answer.clone().text())
  return answer.json<Record<string, unknown>>()
}

const statusOf = async (did: string) => {
  const answer = await fetchWorker(`/xrpc/com.atproto.sync.getRepoStatus?did=${did}`)
  const body = await answer.json<Record<string, unknown>>()
  return answer.ok ? (body["status"] ?? "active") : body["error"]
}

const inside = <A>(did: string, read: (storage: DurableObjectStorage) => A | Promise<A>) =>
  runInDurableObject(objectOf(did), (_object, { storage }) => read(storage))

describe("a deletion that is held back, in a Durable Object", () => {
  it("the deletion outlives an eviction: its undoing restores the account, its alarm deletes it", async () => {
    const { did } = await newPerson()
    await act("delete", did)
    const due = await inside(did, (storage) =>
      Date.parse(String(storage.sql.exec("SELECT delete_after FROM account").one()["delete_after"]))
    )
    assert.isAbove(due, Date.now() + 71 * hour)
    await evictDurableObject(objectOf(did))
    assert.strictEqual(await statusOf(did), "deactivated")
    assert.deepInclude(await act("keep", did), { active: true })
    assert.strictEqual(await statusOf(did), "active")

    await act("delete", did)
    await evictDurableObject(objectOf(did))
    await runDurableObjectAlarm(objectOf(did))
    assert.strictEqual(await statusOf(did), "deactivated")
    assert.isNotNull(await inside(did, (storage) => storage.getAlarm()))
    // Moves the date into the past, as for an object that wakes three days later.
    await inside(did, async (storage) => {
      storage.sql.exec("UPDATE account SET delete_after = '2026-01-01T00:00:00.000Z'").toArray()
      await storage.setAlarm(Date.now() + hour)
    })
    await evictDurableObject(objectOf(did))
    assert.isTrue(await runDurableObjectAlarm(objectOf(did)))
    assert.strictEqual(await statusOf(did), "RepoNotFound")
  })
})
