import { afterAll, assert, beforeAll, describe, it } from "@effect/vitest"
import { decode, goat, shapes } from "../support/http/goat.ts"
import {
  account,
  collection,
  createdAt,
  didKey,
  newName,
  plcData,
  postPicture
} from "../support/http/goatPeople.ts"
import { codeFor } from "../support/http/httpCodes.ts"
import { type Host, startHost } from "../support/http/httpHost.ts"

const server = (name: string) => `com.atproto.server.${name}`
const identity = (name: string) => `com.atproto.identity.${name}`
const repo = (name: string) => `com.atproto.repo.${name}`
const sync = (name: string) => `com.atproto.sync.${name}`

describe("goat with an account", () => {
  let host: Host
  beforeAll(async () => {
    host = await startHost()
  })
  afterAll(() => host.close())

  it("goat logs in, resumes an expired session, checks it, logs out and logs in again", async () => {
    const go = goat(host)
    const who = await account(host)
    const { session } = who
    const { json } = await go.send("GET", server("getSession"), {}, session)
    decode(json, shapes.getSession, ["did"])
    const before = { ...session }
    host.advance(3 * 3_600_000)
    await go.send("GET", server("getSession"), {}, session)
    assert.notStrictEqual(session.access, before.access)
    const checked = await go.send("GET", server("checkAccountStatus"), {}, session)
    decode(checked.json, shapes.checkAccountStatus, Object.keys(shapes.checkAccountStatus))
    await go.send("POST", server("deactivateAccount"), { input: {} }, session)
    const again = await go.login(who.handle, who.password)
    await go.send("POST", server("activateAccount"), {}, again)
    const over = { access: again.refresh, refresh: "" }
    await go.send("POST", server("deleteSession"), {}, over)
    assert.strictEqual((await go.attempt("POST", server("deleteSession"), {}, over)).status, 200)
    // After the session's end it signs in again with its stored password.
    await go.send("GET", server("getSession"), {}, await go.login(who.email, who.password))
  })

  it("goat updates a handle and gets a service token", async () => {
    const go = goat(host)
    const { session } = await account(host)
    const handle = `${newName()}.test`
    await go.send("POST", identity("updateHandle"), { input: { handle } }, session)
    const aud = "did:web:api.example.com"
    const exp = Math.floor(host.now() / 1000) + 60
    for (const more of [{}, { lxm: "app.bsky.feed.getTimeline" }]) {
      const params = { aud, exp, ...more }
      const { json } = await go.send("GET", server("getServiceAuth"), { params }, session)
      decode(json, { token: "string" }, ["token"])
    }
  })

  it("goat creates, updates, gets, lists and deletes records; exports and imports a repo; posts and sets preferences", async () => {
    const go = goat(host)
    const { did, session } = await account(host)
    const { uri } = await postPicture(host, { did, session })
    const rkey = uri.split("/").at(-1)!
    const params = { collection, repo: did, rkey }
    const found = await go.send("GET", repo("getRecord"), { params }, session)
    decode(found.json, { cid: "string", uri: "string" }, ["cid", "uri", "value"])
    const record = { $type: collection, createdAt, text: "without a picture" }
    const input = { ...params, record, validate: true, swapRecord: found.json.cid }
    const put = await go.send("POST", repo("putRecord"), { input }, session)
    decode(put.json, shapes.write, ["uri", "cid"])
    const described = await go.send("GET", repo("describeRepo"), { params: { repo: did } })
    decode(described.json, shapes.describeRepo, ["collections", "did"])
    for (const nsid of described.json.collections) {
      const listed = { collection: nsid, limit: 100, repo: did }
      const { json } = await go.send("GET", repo("listRecords"), { params: listed })
      decode(json, shapes.listRecords, ["records"])
    }
    const plain = { collection, record: { $type: collection, createdAt, text: "baa" }, repo: did }
    await go.send("POST", repo("createRecord"), { input: plain }, session)
    const { bytes } = await go.send("GET", sync("getRepo"), { params: { did } })
    await go.send("POST", repo("deleteRecord"), { input: params }, session)
    const car = { body: bytes, type: "application/vnd.ipld.car" }
    await go.send("POST", repo("importRepo"), car, session)
    await go.send("GET", repo("getRecord"), { params })
    const preferences = [{ $type: "app.bsky.actor.defs#adultContentPref", enabled: true }]
    const actor = "app.bsky.actor"
    await go.send("POST", `${actor}.putPreferences`, { input: { preferences } }, session)
    const kept = await go.send("GET", `${actor}.getPreferences`, {}, session)
    assert.deepStrictEqual(kept.json.preferences, preferences)
  })

  it("goat lists, exports and downloads blobs, and lists missing ones", async () => {
    const go = goat(host)
    const who = await account(host)
    const { did, session } = who
    const { cid, body } = await postPicture(host, who)
    const { json } = await go.send("GET", sync("listBlobs"), { params: { did, limit: 500 } })
    decode(json, shapes.listBlobs, ["cids"])
    assert.deepStrictEqual(json.cids, [cid])
    const { bytes } = await go.send("GET", sync("getBlob"), { params: { cid, did } })
    assert.deepStrictEqual(bytes, body)
    const missing = await go.send(
      "GET",
      repo("listMissingBlobs"),
      { params: { limit: 500 } },
      session
    )
    decode(missing.json, shapes.listMissingBlobs, ["blobs"])
  })

  it("goat changes a DID: plc recommended, request-token, sign, submit and add-rotation-key", async () => {
    const go = goat(host)
    const { did, session } = await account(host)
    const recommended = await go.send("GET", identity("getRecommendedDidCredentials"), {}, session)
    await go.send("POST", identity("requestPlcOperationSignature"), {}, session)
    const token = await codeFor(host, did, "plc_operation")
    const input = { ...recommended.json, token }
    const signed = await go.send("POST", identity("signPlcOperation"), { input }, session)
    decode(signed.json, shapes.operation, ["operation"])
    const { operation } = signed.json
    await go.send("POST", identity("submitPlcOperation"), { input: { operation } }, session)
    for (const first of [true, false]) {
      const { did: _, ...rest } = await plcData(host, did)
      const key = didKey(first ? 71 : 72)
      const rotationKeys = first ? [key, ...rest.rotationKeys] : [...rest.rotationKeys, key]
      const again = await codeFor(host, did, "plc_operation")
      const change = { ...rest, rotationKeys, token: again }
      const next = await go.send("POST", identity("signPlcOperation"), { input: change }, session)
      const submitted = { operation: next.json.operation }
      await go.send("POST", identity("submitPlcOperation"), { input: submitted }, session)
      assert.deepStrictEqual((await plcData(host, did)).rotationKeys, rotationKeys)
    }
  })
})
