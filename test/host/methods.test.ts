import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Result from "effect/Result"
import { CurrentRequest, currentRequest } from "../../src/http/CurrentRequest.ts"
import { builtIn } from "../../src/core/lexicon/Lexicons.ts"
import { official } from "../support/lexicons.ts"
import { decoyDid } from "../../src/http/sessions/signInGate.ts"
import { inviteMethods } from "../../src/http/accounts/invites.ts"
import { hostMethods } from "../../src/http/methods.ts"
import { Directory } from "../../src/services/accounts/Directory.ts"
import { admin, call, FakeAccounts, moverDid, world } from "./world.ts"

const server = (name: string) => `com.atproto.server.${name}`
const identity = (name: string) => `com.atproto.identity.${name}`

const resident = { did: "did:plc:resident2resident2resid", handle: "alice.pds.host" }

const moveIn = Effect.gen(function* () {
  const directory = yield* Directory
  yield* directory.reserve({ ...resident, email: "alice@mail.example" })
  yield* directory.setStatus(resident.did, "active")
})

describe("the host's methods", () => {
  it("every method is in the lexicons and declares an authority", () => {
    const nsids = [...hostMethods.values()].map(({ nsid, authority }) => {
      assert.isString(authority.kind, nsid)
      return nsid
    })
    for (const nsid of nsids)
      assert.include(["query", "procedure", "subscription"], builtIn.kindOf(nsid), nsid)
    assert.strictEqual(new Set(nsids).size, nsids.length)
  })

  it.effect("describeServer describes the server", () =>
    Effect.gen(function* () {
      const { status, body } = yield* call(server("describeServer"))
      assert.strictEqual(status, 200)
      assert.deepStrictEqual(body, {
        did: "did:web:pds.host",
        availableUserDomains: [".pds.host"],
        inviteCodeRequired: true,
        blobUploadLimit: 104_857_600,
        links: { privacyPolicy: "https://pds.host/privacy" },
        contact: { email: "admin@pds.host" }
      })
      assert.isTrue(Result.isSuccess(official.checkOutput(server("describeServer"), body)))
    }).pipe(
      Effect.provide(
        world(new FakeAccounts(), {
          env: { PRIVACY_POLICY_URL: "https://pds.host/privacy", CONTACT_EMAIL: "admin@pds.host" }
        })
      )
    )
  )

  it.effect("resolveHandle finds accounts here, and asks nobody about our other handles", () =>
    Effect.gen(function* () {
      yield* moveIn
      const resolve = (handle: string) => call(identity("resolveHandle"), { params: { handle } })
      assert.deepStrictEqual((yield* resolve("Alice.pds.host")).body, { did: resident.did })
      assert.deepStrictEqual((yield* resolve("mover.elsewhere.com")).body, { did: moverDid })
      for (const unknown of ["nobody.pds.host", "nobody.elsewhere.com"]) {
        const { status, body } = yield* resolve(unknown)
        assert.deepStrictEqual([status, body.error], [400, "HandleNotFound"], unknown)
      }
    }).pipe(Effect.provide(world(new FakeAccounts())))
  )

  it.effect("resolveDid and resolveIdentity find identities", () =>
    Effect.gen(function* () {
      const found = yield* call(identity("resolveDid"), { params: { did: moverDid } })
      assert.strictEqual(found.body.didDoc.id, moverDid)
      const own = yield* call(identity("resolveDid"), { params: { did: "did:web:pds.host" } })
      assert.strictEqual(own.body.didDoc.service[0].serviceEndpoint, "https://pds.host")
      const missing = yield* call(identity("resolveDid"), { params: { did: "did:web:gone.com" } })
      assert.deepStrictEqual([missing.status, missing.body.error], [400, "DidNotFound"])
      const identifier = "mover.elsewhere.com"
      const whole = yield* call(identity("resolveIdentity"), { params: { identifier } })
      assert.deepStrictEqual([whole.body.did, whole.body.handle], [moverDid, identifier])
      const fresh = yield* call(identity("refreshIdentity"), { input: { identifier: moverDid } })
      assert.strictEqual(fresh.body.handle, identifier)
      const unknown = { identifier: "nobody.pds.host" }
      const nobody = yield* call(identity("resolveIdentity"), { params: unknown })
      assert.strictEqual(nobody.body.error, "HandleNotFound")
    }).pipe(Effect.provide(world(new FakeAccounts())))
  )

  it.effect("only the administrator may create invite codes", () =>
    Effect.gen(function* () {
      const input = { codeCount: 2, useCount: 3, forAccounts: [resident.did, moverDid] }
      for (const headers of [{}, { authorization: "Bearer x" }]) {
        const refused = yield* call(server("createInviteCodes"), { input, headers })
        assert.strictEqual(refused.status, 401)
      }
      const { body } = yield* call(server("createInviteCodes"), { input, headers: admin })
      assert.isTrue(Result.isSuccess(official.checkOutput(server("createInviteCodes"), body)))
      const codes: Array<string> = body.codes.flatMap(
        (made: { codes: Array<string> }) => made.codes
      )
      assert.strictEqual(new Set(codes).size, 4)
      const given = yield* (yield* Directory).invitesOf(resident.did)
      assert.deepStrictEqual(
        given.map(({ code, available }) => [codes.includes(code), available]),
        [
          [true, 3],
          [true, 3]
        ]
      )
      for (const wrong of [
        { codeCount: 0, useCount: 1 },
        { codeCount: 501, useCount: 1 }
      ]) {
        const refused = yield* call(server("createInviteCodes"), { input: wrong, headers: admin })
        assert.strictEqual(refused.status, 400)
      }
    }).pipe(Effect.provide(world(new FakeAccounts())))
  )

  it.effect("getAccountInviteCodes lists an account's codes, used ones only on request", () =>
    Effect.gen(function* () {
      const directory = yield* Directory
      yield* directory.createInvites({
        codes: ["used", "open"].map((code) => ({ code, forAccount: resident.did })),
        available: 1,
        createdBy: "admin"
      })
      yield* directory.reserve({ did: moverDid, handle: "m.pds.host", invite: "used" })
      const declared = inviteMethods.find(({ at }) => at === "account")
      const ask = (includeUsed: boolean) =>
        Effect.provideService(
          declared!.handler({
            nsid: "",
            params: { includeUsed, createAvailable: true },
            input: undefined,
            caller: { kind: "session", did: resident.did, level: "full", session: "s" },
            request: new Request("https://pds.host")
          }),
          CurrentRequest,
          currentRequest(new Request("https://pds.host"), new URL("https://pds.host"))
        )
      const codesOf = (answer: unknown) =>
        (answer as { codes: Array<{ code: string; uses: Array<object> }> }).codes
      const all = yield* ask(true)
      assert.isTrue(Result.isSuccess(official.checkOutput(server("getAccountInviteCodes"), all)))
      assert.deepStrictEqual(
        codesOf(all)
          .map(({ code }) => code)
          .toSorted(),
        ["open", "used"]
      )
      assert.deepStrictEqual(
        codesOf(yield* ask(false)).map(({ code }) => code),
        ["open"]
      )
    }).pipe(Effect.provide(world(new FakeAccounts())))
  )

  it.effect("checkSignupQueue returns that there is no queue", () =>
    Effect.gen(function* () {
      const { body } = yield* call("com.atproto.temp.checkSignupQueue")
      assert.deepStrictEqual(body, { activated: true })
    }).pipe(Effect.provide(world(new FakeAccounts())))
  )
})

describe("createSession", () => {
  const signIn = (identifier: string, address = "192.0.2.1") =>
    call(server("createSession"), {
      input: { identifier, password: "secret", allowTakendown: true },
      headers: { "cf-connecting-ip": address, "user-agent": "test" }
    })

  it.effect(
    "createSession finds the account by handle, email address or DID, and forwards the sign-in",
    () => {
      const accounts = new FakeAccounts()
      return Effect.gen(function* () {
        yield* moveIn
        for (const name of [
          "Alice.PDS.host",
          "@alice.pds.host",
          " ALICE@mail.example",
          resident.did
        ]) {
          const { status, body } = yield* signIn(name)
          assert.deepStrictEqual([status, body.from], [200, resident.did], name)
        }
        const [first] = accounts.forwarded
        assert.strictEqual(first?.request.headers.get("user-agent"), "test")
        assert.deepStrictEqual(yield* Effect.promise(async () => first?.request.json()), {
          identifier: "Alice.PDS.host",
          password: "secret",
          allowTakendown: true
        })
      }).pipe(Effect.provide(world(accounts)))
    }
  )

  it.effect(
    "createSession forwards unknown names to one of sixteen decoys, always the same for a name",
    () => {
      const accounts = new FakeAccounts()
      return Effect.gen(function* () {
        const names = Array.from({ length: 40 }, (_, n) => `nobody${n}.pds.host`)
        yield* Effect.forEach(["did:plc:unknown2unknown2unknown2", ...names, ...names], (name) =>
          signIn(name, name)
        )
        const dids = accounts.forwarded.map(({ did }) => did)
        for (const did of dids) assert.match(did, /^did:web:decoy-([0-9]|1[0-5])\.invalid$/)
        assert.deepStrictEqual(dids.slice(1, 41), dids.slice(41))
        assert.isAbove(new Set(dids).size, 10)
        assert.strictEqual(decoyDid("Nobody.Example"), decoyDid("nobody.example"))
      }).pipe(Effect.provide(world(accounts)))
    }
  )

  it.effect("createSession doesn't count successful sign-ins", () => {
    const accounts = new FakeAccounts()
    return Effect.gen(function* () {
      for (let n = 0; n < 40; n++) {
        assert.strictEqual((yield* signIn("alice.pds.host")).status, 200)
      }
    }).pipe(Effect.provide(world(accounts)))
  })

  it.effect("createSession allows 30 failures in 5 minutes for a name and an address", () => {
    const accounts = new FakeAccounts()
    accounts.answersWith = 401
    return Effect.gen(function* () {
      const first = yield* signIn("alice.pds.host")
      assert.strictEqual(first.headers.get("ratelimit-limit"), "30")
      assert.strictEqual(first.headers.get("ratelimit-remaining"), "29")
      assert.strictEqual(first.headers.get("ratelimit-policy"), "30;w=300")
      for (let n = 1; n < 30; n++) yield* signIn("ALICE.pds.host")
      const { status, body } = yield* signIn("alice.pds.host")
      assert.deepStrictEqual([status, body.error], [429, "RateLimitExceeded"])
      assert.strictEqual(accounts.forwarded.length, 30)
      assert.strictEqual((yield* signIn("bob.pds.host")).status, 401)
      assert.strictEqual((yield* signIn("alice.pds.host", "192.0.2.2")).status, 401)
    }).pipe(Effect.provide(world(accounts)))
  })
})
