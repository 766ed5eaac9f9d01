import { createServer } from "node:http"
import type { AddressInfo } from "node:net"
import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Redacted from "effect/Redacted"
import { startPlc } from "../../../scripts/plc.ts"
import { formatDidKey, publicKeyOf } from "../../../src/core/identity/didKey.ts"
import type { PlcData } from "../../../src/core/identity/plcOperation.ts"
import type { PrivateKey } from "../../../src/services/identity/Keys.ts"
import { PlcDirectory } from "../../../src/services/identity/PlcDirectory.ts"
import { signUpdate } from "../../../src/services/identity/PlcOperations.ts"
import { Alerts } from "../../../src/services/operators/Alerts.ts"
import { watch } from "../../../src/services/operators/watch/watch.ts"
import { basic, bearer, type Host } from "../../support/http/httpHost.ts"
import { ok, outcomeOf, type Person, session, signUp } from "../../support/http/httpWorld.ts"
import { ownOperation } from "../../support/network/ownOperation.ts"
import { startKept } from "./kept.ts"

const hour = 3_600_000
const settleMillis = 15 * 60_000

const [first, second] = ["51".repeat(32), "52".repeat(32)]
const both = { PLC_ROTATION_KEY: second, PLC_ROTATION_KEY_PREVIOUS: first }

const keyOf = (hex: string): PrivateKey => {
  const secret = Buffer.from(hex, "hex")
  return {
    curve: "k256",
    didKey: formatDidKey(publicKeyOf("k256", secret)),
    secret: Redacted.make(secret)
  }
}
const [oldKey, newKey] = [keyOf(first).didKey, keyOf(second).didKey]
const owner = keyOf("61".repeat(32))

/** The platform's own, before a host replaces it. */
const direct = globalThis.fetch

type Hook = (did: string, forward: () => Promise<void>) => Promise<number> | undefined

/** A PLC directory whose answers to operations a test can replace by a status, or 0 to send none. */
const hookedPlc = () => {
  const hook: { current: Hook } = { current: () => undefined }
  const start: typeof startPlc = async () => {
    const plc = await startPlc()
    const server = createServer(async (request, response) => {
      const chunks: Array<Buffer> = []
      for await (const chunk of request) chunks.push(chunk)
      const body = Buffer.concat(chunks)
      const forward = () =>
        direct(`${plc.url}${request.url}`, {
          method: request.method ?? "GET",
          ...(request.method === "POST" ? { body } : {})
        })
      const did = decodeURIComponent((request.url ?? "").slice(1))
      const instead =
        request.method === "POST"
          ? await hook.current(did, async () => void (await forward()))
          : undefined
      if (instead === 0) return request.socket.destroy()
      if (instead !== undefined) {
        const headers = instead === 429 ? { "retry-after": "90" } : {}
        response.writeHead(instead, { ...headers, "content-type": "application/json" })
        return response.end(JSON.stringify({ message: "not now" }))
      }
      const answer = await forward()
      response.writeHead(answer.status, { "content-type": "application/json" })
      response.end(await answer.text())
    })
    await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve))
    const { port } = server.address() as AddressInfo
    return {
      port,
      url: `http://127.0.0.1:${port}`,
      close: async () => {
        server.closeAllConnections()
        await new Promise<void>((resolve) => server.close(() => resolve()))
        await plc.close()
      }
    }
  }
  return { start, hook }
}

/** An operation of a key's holder, which doesn't come through the server. */
const operate = (host: Host, did: string, key: PrivateKey, change: Partial<PlcData>) =>
  host.beneath(
    Effect.gen(function* () {
      const operation = yield* ownOperation(did, key, change)
      yield* (yield* PlcDirectory).submit(did, operation)
    })
  )

const keysOf = async (host: Host, { did }: Person) => {
  const data = await host.beneath(Effect.flatMap(PlcDirectory, (plc) => plc.data(did)))
  return data.rotationKeys
}

const logOf = (host: Host, { did }: Person) =>
  host.beneath(Effect.flatMap(PlcDirectory, (plc) => plc.log(did)))

const rotate = async (host: Host) => {
  const answer = await host.ask("/admin/keys/plc", { method: "POST", auth: basic() })
  if (answer.status !== 200) throw new Error(`${answer.status} ${answer.text}`)
  return answer.body
}

const reportedIn = (at: Record<string, unknown>) =>
  Object.fromEntries(
    (at["reported"] as ReadonlyArray<{ did: string; outcome: string }>).map(({ did, outcome }) => [
      did,
      outcome
    ])
  )

/** People whose DIDs name the first key, in the order in which a rotation comes to them. */
const people = async (host: Host, count: number): Promise<ReadonlyArray<Person>> => {
  const made: Array<Person> = []
  for (let at = 0; at < count; at++) made.push(await signUp(host, `person${at}`, "plc"))
  return made.toSorted((a, b) => (a.did < b.did ? -1 : 1))
}

const foreign = async (host: Host, rounds: number) => {
  for (let round = 0; round < rounds; round++) {
    await host.beneath(watch)
    host.advance(300_000)
  }
  const open = await host.beneath(
    Effect.flatMap(Alerts, (alerts) => alerts.list({ past: false, limit: 10 }))
  )
  return open.filter(({ kind }) => kind === "foreign-operation").map(({ subject }) => subject)
}

describe("a rotation of the host's PLC key", () => {
  it("every DID names the new key in the old one's place, the owner's keys stay first, and other people's DIDs stay", async () => {
    const world = await startKept()
    let host = await world.start({ PLC_ROTATION_KEY: first })
    const [plain, recoverable, taken, moved] = await people(host, 4)
    await signUp(host, "web")
    await operate(host, recoverable!.did, keyOf(first), {
      rotationKeys: [owner.didKey, oldKey, keyOf("62".repeat(32)).didKey]
    })
    await operate(host, taken!.did, keyOf(first), { rotationKeys: [owner.didKey] })
    await operate(host, moved!.did, keyOf(first), {
      services: { atproto_pds: { type: "AtprotoPersonalDataServer", endpoint: "https://new.test" } }
    })
    host = await world.start({ PLC_ROTATION_KEY: second })
    assert.include((await host.ask("/ready")).text, "PLC_ROTATION_KEY_PREVIOUS")

    host = await world.start(both)
    const waiting = await rotate(host)
    assert.deepInclude(waiting, {
      phase: "wait",
      isHeldUp: true,
      replaced: 2,
      left: 2,
      failed: 0,
      fingerprint: newKey
    })
    assert.deepStrictEqual(reportedIn(waiting), {
      [plain!.did]: "replaced",
      [recoverable!.did]: "replaced",
      [taken!.did]: "left",
      [moved!.did]: "left"
    })
    assert.deepStrictEqual(await keysOf(host, plain!), [newKey])
    assert.deepStrictEqual(await keysOf(host, recoverable!), [
      owner.didKey,
      newKey,
      keyOf("62".repeat(32)).didKey
    ])
    assert.deepStrictEqual(await keysOf(host, taken!), [owner.didKey])
    assert.deepStrictEqual(await keysOf(host, moved!), [oldKey])
    const history = await host.ask(`/admin/accounts/history?account=${plain!.did}`, {
      auth: basic()
    })
    assert.deepInclude(history.body["entries"][0], { kind: "host-key", by: "operator" })

    world.advance(settleMillis)
    const done = await rotate(host)
    assert.deepInclude(done, { phase: "done", replaced: 2, left: 2 })
    assert.lengthOf(await logOf(host, plain!), 2)

    host = await world.start({ PLC_ROTATION_KEY: second })
    assert.strictEqual((await host.ask("/")).status, 200)
    const auth = bearer((await session(host, plain!.did, "full")).accessJwt)
    const input = { handle: "renamed.test" }
    assert.strictEqual(
      outcomeOf(await host.call("com.atproto.identity.updateHandle", { auth, input })),
      "ok"
    )
    host = await world.start({ PLC_ROTATION_KEY: first })
    assert.strictEqual((await host.ask("/")).status, 503, "no DID names the old key any more")
  })

  it("the watch takes no operation of a rotation for a stranger's, also after the old key is gone", async () => {
    const world = await startKept()
    let host = await world.start({ PLC_ROTATION_KEY: first })
    await people(host, 2)
    assert.deepStrictEqual(await foreign(host, 2), [])
    host = await world.start(both)
    await rotate(host)
    world.advance(settleMillis)
    assert.strictEqual((await rotate(host))["phase"], "done")
    host = await world.start({ PLC_ROTATION_KEY: second })
    world.advance(7 * hour)
    assert.deepStrictEqual(await foreign(host, 2), [])
  })

  it("while both keys are held, either one's DIDs change their handles, and operations with either are accepted", async () => {
    const world = await startKept()
    let host = await world.start({ PLC_ROTATION_KEY: first })
    const [older] = await people(host, 1)
    const before = await host.beneath(
      signUpdate(older!.did, { alsoKnownAs: [`at://${older!.handle}`, "at://more.test"] })
    )
    host = await world.start(both)
    const newer = await signUp(host, "newer", "plc")
    assert.deepStrictEqual(await keysOf(host, newer), [newKey])
    for (const { did } of [older!, newer]) {
      const auth = bearer((await session(host, did, "full")).accessJwt)
      if (did === older!.did) {
        const input = { operation: before }
        const sent = await host.call("com.atproto.identity.submitPlcOperation", { auth, input })
        assert.strictEqual(outcomeOf(sent), "ok")
      }
      const wanted = ok(
        await host.call("com.atproto.identity.getRecommendedDidCredentials", { auth })
      )
      assert.deepStrictEqual(wanted["rotationKeys"], [newKey])
      const input = { handle: `again${did.slice(-4).replaceAll(/[^a-z]/g, "x")}.test` }
      const renamed = await host.call("com.atproto.identity.updateHandle", { auth, input })
      assert.strictEqual(outcomeOf(renamed), "ok")
    }
    assert.deepStrictEqual(await keysOf(host, older!), [oldKey])
  })

  it("a rotation that is cut off in the middle continues where it was, and a lost answer repeats no operation", async () => {
    const { start, hook } = hookedPlc()
    const world = await startKept(new Map(), start)
    let host = await world.start({ PLC_ROTATION_KEY: first })
    const [one, two, three] = await people(host, 3)
    host = await world.start(both)
    hook.current = (did, forward) => (did === two!.did ? forward().then(() => 0) : undefined)
    const paused = await rotate(host)
    assert.deepInclude(paused, { phase: "replace", isHeldUp: false, replaced: 1, cursor: one!.did })
    assert.isAbove(paused["pausedUntil"], host.now())
    assert.deepStrictEqual(await keysOf(host, three!), [oldKey])

    // Within the pause, nothing is sent; after it, another server continues.
    assert.deepStrictEqual((await rotate(host))["reported"], [])
    hook.current = () => undefined
    world.advance(90_000)
    host = await world.start(both)
    const waiting = await rotate(host)
    assert.deepStrictEqual(reportedIn(waiting), {
      [two!.did]: "current",
      [three!.did]: "replaced"
    })
    assert.strictEqual(waiting["phase"], "wait")
    for (const person of [one!, two!, three!]) {
      assert.deepStrictEqual(await keysOf(host, person), [newKey])
      assert.lengthOf(await logOf(host, person), 2, "the answer was lost, not the operation")
    }
  })

  it("an operation that the directory refused is reported with its reason and sent again in the next run", async () => {
    const { start, hook } = hookedPlc()
    const world = await startKept(new Map(), start)
    let host = await world.start({ PLC_ROTATION_KEY: first })
    const [one, two] = await people(host, 2)
    host = await world.start(both)
    hook.current = (did) => (did === one!.did ? Promise.resolve(400) : undefined)
    const held = await rotate(host)
    assert.deepInclude(held, { phase: "replace", isHeldUp: true, replaced: 1, failed: 1 })
    assert.deepStrictEqual(held["failures"], [{ did: one!.did, problem: "not now" }])
    assert.deepStrictEqual(reportedIn(held), { [one!.did]: "refused", [two!.did]: "replaced" })
    host = await world.start({ PLC_ROTATION_KEY: second })
    assert.strictEqual((await host.ask("/")).status, 503, "a DID still names the old key")

    host = await world.start(both)
    hook.current = () => undefined
    const waiting = await rotate(host)
    assert.deepInclude(waiting, { phase: "wait", replaced: 2, failed: 0, failures: [] })
    assert.deepStrictEqual(await keysOf(host, one!), [newKey])
  })

  it("the rotation keeps to the directory's pace, and a failing account doesn't stop the others", async () => {
    const { start, hook } = hookedPlc()
    const world = await startKept(new Map(), start)
    let host = await world.start({ PLC_ROTATION_KEY: first })
    const [one, two] = await people(host, 2)
    host = await world.start(both)
    let posts = 0
    hook.current = () => {
      posts += 1
      return Promise.resolve(429)
    }
    for (let round = 1; round <= 8; round++) {
      const before = host.now()
      const limited = await rotate(host)
      assert.strictEqual(posts, round, "one request, then a pause")
      assert.deepInclude(limited, { failed: 0, cursor: "", isHeldUp: false })
      assert.isAtLeast(limited["pausedUntil"], before + 90_000, "as long as the directory says")
      world.advance(90_000)
    }
    hook.current = (did) => (did === one!.did ? Promise.resolve(503) : undefined)
    let at = await rotate(host)
    for (let round = 0; round < 10 && at["isHeldUp"] !== true; round++) {
      world.advance(300_000)
      at = await rotate(host)
    }
    assert.deepInclude(at, { isHeldUp: true, failed: 1, replaced: 1 })
    assert.deepStrictEqual(await keysOf(host, two!), [newKey])
    hook.current = () => undefined
    assert.deepInclude(await rotate(host), { phase: "done", failed: 0, replaced: 2 })
  })

  it("a rotation without a previous key, and one of a stranger, is refused", async () => {
    const world = await startKept()
    const host = await world.start({ PLC_ROTATION_KEY: first })
    const refused = await host.ask("/admin/keys/plc", { method: "POST", auth: basic() })
    assert.strictEqual(refused.status, 400)
    assert.include(refused.text, "PLC_ROTATION_KEY_PREVIOUS")
    assert.strictEqual((await host.ask("/admin/keys/plc", { method: "POST" })).status, 401)
  })
})
