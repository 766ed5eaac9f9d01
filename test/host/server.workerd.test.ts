import { verifyRepoCar } from "@atproto/repo"
import { assert, describe, it } from "@effect/vitest"
import {
  abortAllDurableObjects,
  evictDurableObject,
  runDurableObjectAlarm,
  runInDurableObject
} from "cloudflare:test"
import { failures } from "../../src/http/errors.ts"
import { Sequencer } from "../../src/main.ts"
import { makeHandler } from "../../src/http/webHandler.ts"
import * as Cloudflare from "../../src/layers/Cloudflare.ts"
import {
  bindings,
  delivered,
  DIRECTORY,
  fetchWorker,
  newPerson,
  objectOf,
  origin,
  query,
  revInLog
} from "./workerdWorld.ts"

const exportOf = async (did: string) => {
  const response = await fetchWorker(`/xrpc/com.atproto.sync.getRepo?did=${did}`)
  assert.strictEqual(response.status, 200)
  return verifyRepoCar(await response.bytes(), did)
}

/** An account's events that haven't reached the log. */
const waiting = (did: string) =>
  runInDurableObject(objectOf(did), (_object, { storage }) =>
    Number(storage.sql.exec("SELECT count(*) AS n FROM outbox").one()["n"])
  )

describe("the Worker", () => {
  it("the Worker creates an account, signs in, writes, reads and exports", async () => {
    const { createRecord, did, handle } = await newPerson()
    const { cid, commit, uri } = await createRecord("hello")
    const rkey = uri.split("/").at(-1) ?? ""
    const at = { repo: handle, collection: "app.bsky.feed.post", rkey }
    const found = await query("com.atproto.repo.getRecord", at)
    assert.strictEqual(found["cid"], cid)
    const exported = await exportOf(did)
    assert.strictEqual(exported.commit.rev, commit.rev)
    assert.deepStrictEqual(
      exported.creates.map((record) => String(record.cid)),
      [cid]
    )
  })

  it("the Worker sends writes to a subscriber", async () => {
    const response = await fetchWorker("/xrpc/com.atproto.sync.subscribeRepos", {
      headers: { upgrade: "websocket" }
    })
    assert.strictEqual(response.status, 101)
    const socket = response.webSocket!
    socket.binaryType = "arraybuffer"
    const frames: Array<string> = []
    const { createRecord } = await newPerson()
    const arrived = new Promise<void>((resolve) =>
      socket.addEventListener("message", ({ data }) => {
        frames.push(new TextDecoder("latin1").decode(data as ArrayBuffer))
        if (frames.at(-1)?.includes("heard by all") === true) resolve()
      })
    )
    socket.accept()
    await createRecord("heard by all")
    await arrived
    socket.close(1000, "done")
    assert.isTrue(frames.some((frame) => frame.includes("#commit")))
  })

  it("the Worker returns RepoNotFound for an unknown DID, whose object stores nothing", async () => {
    const did = "did:web:nobody.pds.example.com"
    for (const path of [
      `com.atproto.sync.getRepo?did=${did}`,
      `com.atproto.sync.getLatestCommit?did=${did}`,
      `com.atproto.repo.listRecords?repo=${did}&collection=app.bsky.feed.post`
    ]) {
      const response = await fetchWorker(`/xrpc/${path}`)
      assert.strictEqual(response.status, 400)
      assert.strictEqual((await response.json<{ error: string }>()).error, "RepoNotFound")
    }
    await runInDurableObject(objectOf(did), async (_object, { storage }) => {
      const tables = storage.sql.exec("SELECT name FROM sqlite_master WHERE name NOT GLOB '_cf_*'")
      assert.deepStrictEqual(tables.toArray(), [])
      assert.isNull(await storage.getAlarm())
    })
  })
})

describe("an account's object", () => {
  it("an object keeps everything over each sleep, with increasing revs", async () => {
    const { createRecord, did } = await newPerson()
    const revs: Array<string> = []
    const cids: Array<string> = []
    for (let n = 0; n < 5; n++) {
      const { cid, commit } = await createRecord(`before sleep ${n}`)
      revs.push(commit.rev)
      cids.push(cid)
      await evictDurableObject(objectOf(did))
    }
    assert.deepStrictEqual([...new Set(revs)].toSorted(), revs)
    const exported = await exportOf(did)
    assert.strictEqual(exported.commit.rev, revs.at(-1))
    assert.sameMembers(
      exported.creates.map(({ cid }) => String(cid)),
      cids
    )
  })

  it("objects that wake at the same time each change their own account in the directory", async () => {
    const people = [await newPerson(), await newPerson(), await newPerson()]
    for (const { did } of people) await evictDurableObject(objectOf(did))
    const answers = await Promise.all(
      people.map(({ authorization }, nth) =>
        fetchWorker(
          `/xrpc/com.atproto.server.${nth === 0 ? "deactivateAccount" : "activateAccount"}`,
          {
            method: "POST",
            headers: { authorization, "content-type": "application/json" },
            ...(nth === 0 ? { body: "{}" } : {})
          }
        )
      )
    )
    for (const answer of answers) assert.strictEqual(answer.status, 200, await answer.text())
    const listed = await DIRECTORY.prepare("SELECT did, status FROM accounts").all<{
      did: string
      status: string
    }>()
    const statuses = new Map(listed.results.map(({ did, status }) => [did, status]))
    assert.deepStrictEqual(
      people.map(({ did }) => statuses.get(did)),
      ["deactivated", "active", "active"]
    )
  })

  it("the alarm delivers what the object could not before it died", async () => {
    const { createRecord, did } = await newPerson()
    await createRecord("taken")
    await delivered(did)
    const before = await revInLog(did)
    // As if the object had died after each commit, before it reached the log.
    const unreachable = () => Promise.reject(new Error("unreachable"))
    Object.defineProperty(Sequencer.prototype, "append", { value: unreachable, configurable: true })
    await createRecord("held back")
    const { commit } = await createRecord("held back too")
    await abortAllDurableObjects()
    assert.strictEqual(await waiting(did), 2)
    assert.strictEqual(await revInLog(did), before)
    Reflect.deleteProperty(Sequencer.prototype, "append")
    assert.isTrue(await runDurableObjectAlarm(objectOf(did)))
    assert.strictEqual(await waiting(did), 0)
    assert.strictEqual(await revInLog(did), commit.rev)
  })
})

describe("a Worker whose keys are not those of its data", () => {
  it("a Worker with wrong keys returns 503 everywhere and names them at /ready, until they are restored", async () => {
    const right = await makeHandler(Cloudflare.host(bindings, failures))(
      new Request(`${origin}/robots.txt`)
    )
    assert.strictEqual(right.status, 200)
    const others = { MASTER_KEY: "b".repeat(43), PLC_ROTATION_KEY: "24".repeat(32) }
    const handler = makeHandler(Cloudflare.host({ ...bindings, ...others }, failures))
    for (const path of ["/", "/xrpc/_health", "/xrpc/com.atproto.sync.listRepos", "/robots.txt"]) {
      const response = await handler(new Request(`${origin}${path}`))
      assert.strictEqual(response.status, 503, path)
      const { error } = (await response.json()) as { error: string }
      assert.strictEqual(error, "ServerMisconfigured")
    }
    const response = await handler(new Request(`${origin}/ready`))
    const { problems } = (await response.json()) as {
      problems: ReadonlyArray<{ variable: string }>
    }
    assert.sameMembers(
      problems.map(({ variable }) => variable),
      Object.keys(others)
    )
  })
})

describe("an unconfigured Worker", () => {
  const secret = "too-short-to-be-a-master-key"
  const handler = makeHandler(
    Cloudflare.host({ ...bindings, MASTER_KEY: secret, PLC_ROTATION_KEY: undefined }, failures)
  )

  it("an unconfigured Worker returns 503 ServerMisconfigured on every path", async () => {
    for (const path of [
      "/",
      "/health",
      "/robots.txt",
      "/.well-known/did.json",
      "/xrpc/_health",
      "/xrpc/com.atproto.server.describeServer",
      "/xrpc/com.atproto.sync.getRepo?did=did:web:nobody.pds.example.com",
      "/no/such/path"
    ]) {
      const response = await handler(new Request(`${origin}${path}`))
      assert.strictEqual(response.status, 503, path)
      const text = await response.text()
      assert.strictEqual((JSON.parse(text) as { error: string }).error, "ServerMisconfigured")
      assert.notInclude(text, secret)
    }
  })

  it("an unconfigured Worker lists the variables at /ready, without values", async () => {
    const response = await handler(new Request(`${origin}/ready`))
    assert.strictEqual(response.status, 503)
    const text = await response.text()
    assert.notInclude(text, secret)
    const { problems } = JSON.parse(text) as { problems: ReadonlyArray<{ variable: string }> }
    assert.sameMembers(
      problems.map(({ variable }) => variable),
      ["MASTER_KEY", "PLC_ROTATION_KEY"]
    )
  })
})
