import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import { SqlStorage } from "../../../src/services/host/SqlStorage.ts"
import { beginBackup } from "../../../src/services/backups/BackupRun.ts"
import { backUp, restoreServer, verify } from "../../backups/backupWorld.ts"
import { ask, here, withAuthenticator, withPasskey } from "../../support/http/accountPages.ts"
import { basic, bearer, type Host } from "../../support/http/httpHost.ts"
import {
  appPassword,
  ok,
  outcomeOf,
  type Person,
  post,
  serviceToken,
  signUp
} from "../../support/http/httpWorld.ts"
import { publicApp } from "../../support/http/oauthApp.ts"
import { startKept } from "./kept.ts"

const keyOf = (byte: number): string => Buffer.alloc(32, byte).toString("base64url")
const [first, second, third] = [keyOf(7), keyOf(8), keyOf(9)]

const rotate = async (host: Host) => {
  const { status, body, text } = await host.ask("/admin/keys/master", {
    method: "POST",
    auth: basic()
  })
  if (status !== 200) throw new Error(`${status} ${text}`)
  return body
}

/** Continues a rotation until it ends or must wait. */
const rotateOn = async (host: Host) => {
  while (true) {
    const at = await rotate(host)
    if (at["phase"] === "done" || at["isHeldUp"] === true) return at
  }
}

const signIn = (host: Host, { handle }: Person, password: string, code?: string) =>
  host.call("com.atproto.server.createSession", {
    input: {
      identifier: handle,
      password,
      ...(code === undefined ? {} : { authFactorToken: code })
    }
  })

const write = (host: Host, { did }: Person, auth: string) =>
  host.call("com.atproto.repo.createRecord", {
    auth,
    input: { repo: did, collection: "app.bsky.feed.post", record: post() }
  })

const settleMillis = 15 * 60_000

/** The outcomes of everything that an account's credentials can do. */
const credentialsOf = async (host: Host, advance: (millis: number) => void) => {
  const alice = await signUp(host, "alice")
  const bob = await signUp(host, "bob")
  const app = await appPassword(host, alice.did, "phone")
  const { recoveryCodes, totp } = await withAuthenticator(host, bob.did)
  const codes = [...recoveryCodes]
  const passkey = await withPasskey(host, bob.did)
  let session = ok(await signIn(host, alice, alice.password))
  const oauth = await publicApp({
    ask: (...asked) => current.ask(...asked),
    beneath: (effect) => current.beneath(effect),
    now: () => current.now()
  })
  let current = host
  let granted = await oauth.signIn(alice.did)
  const reserved = ok(
    await host.call("com.atproto.server.reserveSigningKey", { input: { did: "did:plc:mover" } })
  )["signingKey"]
  return {
    alice,
    app,
    bob,
    /** Uses each credential once on a server with the same data. */
    use: async (on: Host) => {
      current = on
      const outcomes: Record<string, string> = {}
      outcomes["password"] = outcomeOf(await signIn(on, alice, alice.password))
      outcomes["app password"] = outcomeOf(await signIn(on, alice, app))
      advance(30_000)
      const code = totp.generate({ timestamp: on.now() })
      outcomes["authenticator"] = outcomeOf(await signIn(on, bob, bob.password, code))
      outcomes["recovery code"] = outcomeOf(
        await signIn(on, bob, bob.password, codes.shift() ?? "")
      )
      const challenge = Buffer.alloc(32, 4).toString("base64url")
      const response = passkey.get(challenge, here)
      const proven = await ask(on, bob.did, "provePasskey", { challenge, ...here, response })
      outcomes["passkey"] = proven.did === bob.did ? "ok" : "other"
      const access = bearer(session["accessJwt"])
      outcomes["access token"] = outcomeOf(await write(on, alice, access))
      const refresh = () =>
        on.call("com.atproto.server.refreshSession", {
          method: "POST",
          auth: bearer(session["refreshJwt"])
        })
      const refreshed = await refresh()
      outcomes["refresh token"] = outcomeOf(refreshed)
      // The same token within two hours returns the same next one.
      const { accessJwt: _, ...again } = ok(await refresh())
      assert.strictEqual(jtiOf(again["refreshJwt"]), jtiOf(refreshed.body["refreshJwt"]))
      session = refreshed.body
      outcomes["OAuth access token"] = outcomeOf(
        await oauth.call("com.atproto.server.getSession", granted["access_token"])
      )
      const renewed = await oauth.refresh(granted["refresh_token"])
      outcomes["OAuth refresh token"] = outcomeOf(renewed)
      granted = renewed.body
      const key = await on.call("com.atproto.server.reserveSigningKey", {
        input: { did: "did:plc:mover" }
      })
      outcomes["reserved key"] = key.body["signingKey"] === reserved ? "ok" : "another"
      outcomes["signature"] = await Promise.resolve(
        serviceToken(on, bob.did, { aud: "did:web:elsewhere.example" })
      ).then(
        () => "ok",
        (failure: unknown) => String(failure)
      )
      return outcomes
    }
  }
}

const jtiOf = (token: string): string =>
  JSON.parse(Buffer.from(token.split(".")[1] ?? "", "base64url").toString())["jti"]

const allOk = (outcomes: Readonly<Record<string, string>>) =>
  assert.deepStrictEqual(
    outcomes,
    Object.fromEntries(Object.keys(outcomes).map((name) => [name, "ok"]))
  )

const readyOf = async (host: Host): Promise<string> => (await host.ask("/ready")).text

describe("a rotation of the master key", () => {
  it("every credential made before a rotation works during it and after the old key is gone", async () => {
    const world = await startKept()
    let host = await world.start({ MASTER_KEY: first })
    const { use } = await credentialsOf(host, world.advance)
    allOk(await use(host))
    const both = { MASTER_KEY: second, MASTER_KEY_PREVIOUS: first }
    host = await world.start(both)
    allOk(await use(host))
    const waiting = await rotateOn(host)
    assert.strictEqual(waiting["phase"], "wait")
    assert.strictEqual(waiting["rewrapped"], 2)
    assert.deepStrictEqual(waiting["problems"], [])
    allOk(await use(host))
    host = await world.start(both)
    allOk(await use(host))
    world.advance(settleMillis)
    assert.strictEqual((await rotateOn(host))["phase"], "done")
    host = await world.start({ MASTER_KEY: second })
    allOk(await use(host))

    // A second rotation keeps what the first one kept.
    host = await world.start({ MASTER_KEY: third, MASTER_KEY_PREVIOUS: second })
    await rotateOn(host)
    world.advance(settleMillis)
    assert.strictEqual((await rotateOn(host))["phase"], "done")
    host = await world.start({ MASTER_KEY: third })
    allOk(await use(host))
  })

  it("a server refuses to start without the old key until every account is under the new one", async () => {
    const world = await startKept()
    let host = await world.start({ MASTER_KEY: first })
    const alice = await signUp(host, "alice")
    await signUp(host, "bob")
    const both = { MASTER_KEY: second, MASTER_KEY_PREVIOUS: first }
    host = await world.start(both)
    await ask(host, alice.did, "rewrapKeys")
    host = await world.start({ MASTER_KEY: second })
    assert.include(await readyOf(host), "MASTER_KEY_PREVIOUS")
    assert.strictEqual((await host.ask("/")).status, 503)

    host = await world.start(both)
    const waiting = await rotateOn(host)
    assert.strictEqual(waiting["rewrapped"], 1, "the first account was under the new key already")
    host = await world.start({ MASTER_KEY: second })
    assert.strictEqual((await host.ask("/")).status, 503)

    host = await world.start(both)
    world.advance(settleMillis)
    assert.strictEqual((await rotateOn(host))["phase"], "done")
    host = await world.start({ MASTER_KEY: second })
    assert.strictEqual((await host.ask("/")).status, 200)
    assert.strictEqual(outcomeOf(await signIn(host, alice, alice.password)), "ok")
    host = await world.start({ MASTER_KEY: first })
    assert.strictEqual((await host.ask("/")).status, 503, "the old key opens nothing any more")
  })

  it("the last pass finds an account that another isolate created with the old key after the first pass", async () => {
    const world = await startKept()
    let host = await world.start({ MASTER_KEY: first })
    await signUp(host, "alice")
    const both = { MASTER_KEY: second, MASTER_KEY_PREVIOUS: first }
    host = await world.start(both)
    await rotateOn(host)
    // An isolate that hasn't met the new key yet.
    host = await world.start({ MASTER_KEY: first })
    const late = await signUp(host, "late")
    host = await world.start(both)
    world.advance(settleMillis)
    const done = await rotateOn(host)
    assert.strictEqual(done["phase"], "done")
    assert.strictEqual(done["rewrapped"], 2)
    host = await world.start({ MASTER_KEY: second })
    assert.strictEqual(
      outcomeOf(
        await write(host, late, bearer(ok(await signIn(host, late, late.password))["accessJwt"]))
      ),
      "ok"
    )
  })

  it("a rotation without a previous key is refused with what to set", async () => {
    const world = await startKept()
    const host = await world.start({ MASTER_KEY: first })
    const refused = await host.ask("/admin/keys/master", { method: "POST", auth: basic() })
    assert.strictEqual(refused.status, 400)
    assert.include(refused.text, "MASTER_KEY_PREVIOUS")
    const stranger = await host.ask("/admin/keys/master", { method: "POST" })
    assert.strictEqual(stranger.status, 401)
  })

  it("a rotation names what neither key opens, and ends", async () => {
    const world = await startKept()
    let host = await world.start({ MASTER_KEY: first })
    const { did } = await signUp(host, "alice")
    await signUp(host, "bob")
    await withAuthenticator(host, did)
    await host.inside(
      did,
      Effect.map(SqlStorage, (sql) => sql.exec("UPDATE authenticator SET secret = x'0102'"))
    )
    host = await world.start({ MASTER_KEY: second, MASTER_KEY_PREVIOUS: first })
    await rotateOn(host)
    world.advance(settleMillis)
    const done = await rotateOn(host)
    assert.strictEqual(done["phase"], "done")
    assert.deepStrictEqual(done["problems"], [{ did, problem: "an authenticator can't be opened" }])
  })

  it("an account whose signing key neither key opens is named, and keeps its app passwords and sessions", async () => {
    const world = await startKept()
    let host = await world.start({ MASTER_KEY: first })
    const alice = await signUp(host, "alice")
    const app = await appPassword(host, alice.did, "phone")
    await host.inside(
      alice.did,
      Effect.map(SqlStorage, (sql) => sql.exec("UPDATE account SET wrapped_key = x'0102'"))
    )
    const both = { MASTER_KEY: second, MASTER_KEY_PREVIOUS: first }
    host = await world.start(both)
    const waiting = await rotateOn(host)
    const problems = [{ did: alice.did, problem: "its signing key can't be opened" }]
    assert.deepStrictEqual([waiting["phase"], waiting["problems"]], ["wait", problems])
    world.advance(settleMillis)
    const done = await rotateOn(host)
    assert.deepStrictEqual([done["phase"], done["problems"]], ["done", problems])
    host = await world.start({ MASTER_KEY: second })
    assert.strictEqual(outcomeOf(await signIn(host, alice, alice.password)), "ok")
    assert.strictEqual(outcomeOf(await signIn(host, alice, app)), "ok")
    const seen = await host.call("com.atproto.server.getSession", { auth: alice.auth })
    assert.strictEqual(seen.status, 200)
    // Without its key it can't sign a commit, and says so.
    assert.notStrictEqual(outcomeOf(await write(host, alice, alice.auth)), "ok")
  })
})

describe("backups and a rotation of the master key", () => {
  it("a backup from before a rotation is restored with the new key alone", async () => {
    const objects = new Map<string, Uint8Array>()
    const world = await startKept(objects)
    let host = await world.start({ MASTER_KEY: first })
    const { alice, app, bob, use } = await credentialsOf(host, world.advance)
    await backUp(host)
    const copy = new Map(objects)
    host = await world.start({ MASTER_KEY: second, MASTER_KEY_PREVIOUS: first })
    const waiting = await rotateOn(host)
    assert.strictEqual(waiting["backups"], 3, "two accounts and a run")
    assert.deepStrictEqual(waiting["problems"], [])
    assert.sameMembers(
      [...objects.keys()].map((key) => key.replace(/~[\w-]{8}/, "")),
      [...copy.keys()],
      "the objects under the old key are gone"
    )
    world.advance(settleMillis)
    await rotateOn(host)

    host = await world.start({ MASTER_KEY: second })
    assert.deepStrictEqual((await verify(host)).faults, [])
    allOk(await use(host))
    const run = await backUp(host)
    assert.strictEqual(run.outcome, "good")

    for (const [store, env] of [
      [objects, { MASTER_KEY: second }],
      // A copy of the store that the rotation didn't reach.
      [copy, { MASTER_KEY: second, MASTER_KEY_PREVIOUS: first }]
    ] as const) {
      const empty = await startKept(new Map(store))
      let later = await empty.start(env)
      const restored = await restoreServer(later)
      assert.deepStrictEqual(restored.faults, [])
      later = await empty.start({ MASTER_KEY: second })
      for (const person of [alice, bob]) {
        const commit = await serviceToken(later, person.did, { aud: "did:web:elsewhere.example" })
        assert.isNotEmpty(commit)
      }
      assert.strictEqual(outcomeOf(await signIn(later, alice, alice.password)), "ok")
      assert.strictEqual(outcomeOf(await signIn(later, alice, app)), "ok")
    }

    const blind = await startKept(new Map(copy))
    host = await blind.start({ MASTER_KEY: second })
    const refused = await host.ask("/admin/backups/restore-server", {
      method: "POST",
      auth: basic()
    })
    assert.strictEqual(refused.status, 500)
    assert.include(refused.text, "set that key as MASTER_KEY_PREVIOUS")
  })

  it("a rotation waits for a backup that is running", async () => {
    const objects = new Map<string, Uint8Array>()
    const world = await startKept(objects)
    let host = await world.start({ MASTER_KEY: first })
    await signUp(host, "alice")
    await host.beneath(beginBackup())
    host = await world.start({ MASTER_KEY: second, MASTER_KEY_PREVIOUS: first })
    const held = await rotateOn(host)
    assert.strictEqual(held["phase"], "backups")
    assert.isTrue(held["isBackupOpen"])
    await backUp(host)
    assert.strictEqual((await rotateOn(host))["phase"], "wait")
  })
})
