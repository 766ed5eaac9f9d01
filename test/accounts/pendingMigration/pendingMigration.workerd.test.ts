import { afterAll, assert, beforeAll, describe, it, vi } from "@effect/vitest"
import { evictDurableObject, runDurableObjectAlarm, runInDurableObject } from "cloudflare:test"
import { signedServiceJwt, unsignedServiceJwt } from "../../../src/core/sessions/serviceJwt.ts"
import { makeDidDocument } from "../../../src/core/identity/didDocument.ts"
import {
  formatDidKey,
  generatePrivateKey,
  publicKeyOf,
  signBytes
} from "../../../src/core/identity/didKey.ts"
import {
  bindings,
  BLOBS,
  fetchWorker,
  objectOf,
  origin,
  procedure,
  query
} from "../../host/workerdWorld.ts"

let made = 0

/** The responses of the rest of the network, by URL; nothing else can be reached. */
const web = new Map<string, object>()

beforeAll(() => {
  vi.stubGlobal("fetch", async (input: RequestInfo) => {
    const page = web.get(String(input))
    if (page === undefined) throw new TypeError("no network")
    return Response.json(page)
  })
})
afterAll(() => void vi.unstubAllGlobals())

/** An account with a did:web on another server that is moving in and has uploaded something. */
const arriving = async () => {
  const name = `arrival${made++}`
  const did = `did:web:${name}.elsewhere.com`
  const handle = `${name}.pds.example.com`
  const secret = generatePrivateKey("k256")
  const leadTo = (endpoint: string) =>
    web.set(
      `https://${name}.elsewhere.com/.well-known/did.json`,
      makeDidDocument({
        did,
        alsoKnownAs: [],
        keys: { atproto: formatDidKey(publicKeyOf("k256", secret)) },
        services: { atproto_pds: { type: "AtprotoPersonalDataServer", endpoint } }
      })
    )
  leadTo("https://elsewhere.com")
  const host = await query("com.atproto.server.describeServer", {})
  const admin = `Basic ${btoa(`admin:${bindings.ADMIN_PASSWORD}`)}`
  const invite = await procedure("com.atproto.server.createInviteCode", admin, { useCount: 1 })
  const createAccount = async () => {
    const iat = Math.floor(Date.now() / 1000)
    const text = unsignedServiceJwt("k256", {
      iss: did,
      aud: String(host["did"]),
      lxm: "com.atproto.server.createAccount",
      iat,
      exp: iat + 60,
      jti: crypto.randomUUID()
    })
    const token = signedServiceJwt(text, signBytes("k256", secret, new TextEncoder().encode(text)))
    return procedure("com.atproto.server.createAccount", `Bearer ${token}`, {
      did,
      handle,
      password: "a long password",
      email: `${name}@example.com`,
      inviteCode: invite["code"]
    })
  }
  const { accessJwt } = await createAccount()
  const uploaded = await fetchWorker("/xrpc/com.atproto.repo.uploadBlob", {
    method: "POST",
    headers: { authorization: `Bearer ${String(accessJwt)}`, "content-type": "text/plain" },
    body: `bytes of ${name}`
  })
  assert.strictEqual(uploaded.status, 200)
  await uploaded.body?.cancel()
  return { did, createAccount, leadTo }
}

/**
 * Moves the deadline into the past, as for an object that wakes for its alarm, and runs the alarm.
 */
const ringLate = async (did: string): Promise<void> => {
  await runInDurableObject(objectOf(did), async (_object, { storage }) => {
    storage.sql.exec("UPDATE arrival SET until = 1").toArray()
    await storage.setAlarm(Date.now() + 3_600_000)
  })
  await evictDurableObject(objectOf(did))
  assert.isTrue(await runDurableObjectAlarm(objectOf(did)))
}

const isHere = async (did: string): Promise<boolean> => {
  const answer = await fetchWorker(`/xrpc/com.atproto.sync.getRepoStatus?did=${did}`)
  await answer.body?.cancel()
  return answer.ok
}

const untilOf = (did: string) =>
  runInDurableObject(objectOf(did), (_object, { storage }) =>
    Number(storage.sql.exec("SELECT until FROM arrival").one()["until"])
  )

describe("the alarm of an account that moves in", () => {
  it("the alarm is set from the start, and deletes the account when the wait was in vain", async () => {
    const { did, createAccount } = await arriving()
    const alarm = await runInDurableObject(objectOf(did), (_object, { storage }) =>
      storage.getAlarm()
    )
    assert.isNotNull(alarm)
    assert.isAbove(await untilOf(did), Date.now() + 13 * 24 * 3_600_000)
    const before = (await BLOBS.list()).objects.length
    await ringLate(did)
    assert.isFalse(await isHere(did))
    assert.strictEqual((await BLOBS.list()).objects.length, before - 1)
    // The same person can use the names and the invite again.
    await createAccount()
    assert.isTrue(await isHere(did))
  })

  it("the alarm keeps an account whose DID points here or can't be resolved, and runs again the next day", async () => {
    const here = await arriving()
    const unknown = await arriving()
    web.clear()
    here.leadTo(origin)
    for (const { did } of [here, unknown]) {
      await ringLate(did)
      assert.isTrue(await isHere(did))
      const until = await untilOf(did)
      assert.isAtMost(until, Date.now() + 24 * 3_600_000)
      const alarm = await runInDurableObject(objectOf(did), (_object, { storage }) =>
        storage.getAlarm()
      )
      assert.isAtMost(alarm ?? Infinity, until)
    }
  })
})
