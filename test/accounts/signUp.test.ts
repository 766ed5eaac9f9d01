import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import { TestClock } from "effect/testing"
import { isDidKey } from "../../src/core/identity/didKey.ts"
import { AccountUnavailable } from "../../src/services/accounts/Accounts.ts"
import { Directory, DirectoryUnavailable } from "../../src/services/accounts/Directory.ts"
import { Keys } from "../../src/services/identity/Keys.ts"
import {
  PlcDirectory,
  PlcRefused,
  PlcUnavailable
} from "../../src/services/identity/PlcDirectory.ts"
import { ServiceTokens } from "../../src/services/sessions/ServiceTokens.ts"
import {
  admin,
  call,
  FakeAccounts,
  moverDid,
  moverSigner,
  type Overrides,
  world
} from "../host/world.ts"

const createAccount = "com.atproto.server.createAccount"

const alice = { handle: "alice.pds.host", email: "Alice@mail.example", password: "long enough" }

const open = { env: { INVITE_REQUIRED: "off" } }

const signUp = (input: object, headers: Record<string, string> = {}) =>
  call(createAccount, { input, headers })

const serviceToken = (aud = "did:web:pds.host", lxm = createAccount, iss = moverDid) =>
  Effect.flatMap(ServiceTokens, (tokens) => tokens.create(moverSigner, { iss, aud, lxm })).pipe(
    Effect.map((token) => ({ authorization: `Bearer ${token}` }))
  )

describe("createAccount", () => {
  it.effect(
    "createAccount creates a did:plc with the owner's recovery key before the host's, then announces it",
    () => {
      const accounts = new FakeAccounts()
      return Effect.gen(function* () {
        const { didKey: recoveryKey } = yield* (yield* Keys).generate("p256")
        const { status, body } = yield* signUp({ ...alice, recoveryKey })
        assert.strictEqual(status, 200, JSON.stringify(body))
        const { did } = body
        assert.match(did, /^did:plc:[a-z2-7]{24}$/)
        assert.strictEqual(body.handle, "alice.pds.host")
        assert.strictEqual(body.accessJwt, `access ${did}`)
        assert.strictEqual(body.refreshJwt, `refresh ${did}`)
        assert.strictEqual(body.didDoc.id, did)

        const object = accounts.objects.get(did)
        assert.isTrue(object?.announced)
        assert.isTrue(object?.made.active)
        assert.strictEqual(object?.made.email, "alice@mail.example")
        const data = yield* (yield* PlcDirectory).data(did)
        assert.strictEqual(data.rotationKeys.length, 2)
        assert.strictEqual(data.rotationKeys[0], recoveryKey)
        assert.isTrue(isDidKey(data.rotationKeys[1] ?? ""))
        assert.strictEqual(data.verificationMethods["atproto"], object?.made.signingKey.didKey)
        assert.deepStrictEqual(data.alsoKnownAs, ["at://alice.pds.host"])
        assert.strictEqual(data.services["atproto_pds"]?.endpoint, "https://pds.host")

        const wrapped = object?.made.signingKey.wrapped ?? new Uint8Array()
        const key = yield* (yield* Keys).unwrap(did, wrapped)
        assert.strictEqual(key.didKey, object?.made.signingKey.didKey)
        const entry = yield* (yield* Directory).byHandle("alice.pds.host")
        assert.strictEqual(entry?.did, did)
        assert.strictEqual(entry?.status, "active")
      }).pipe(Effect.provide(world(accounts, open)))
    }
  )

  it.effect("createAccount rejects malformed input before it reserves anything", () =>
    Effect.gen(function* () {
      const expected: ReadonlyArray<readonly [object, string]> = [
        [{ ...alice, password: "short" }, "InvalidPassword"],
        [{ ...alice, password: "x".repeat(257) }, "InvalidPassword"],
        [{ handle: alice.handle, email: alice.email }, "InvalidPassword"],
        [{ handle: alice.handle, password: alice.password }, "InvalidRequest"],
        [{ ...alice, email: "nobody" }, "InvalidRequest"],
        [{ ...alice, email: "a@b@mail.example" }, "InvalidRequest"],
        [{ ...alice, handle: "al.pds.host" }, "InvalidHandle"],
        [{ ...alice, handle: "a.b.pds.host" }, "InvalidHandle"],
        [{ ...alice, handle: "admin.pds.host" }, "HandleNotAvailable"],
        [{ ...alice, handle: "alice.elsewhere.com" }, "UnsupportedDomain"],
        [{ ...alice, handle: "pds.host" }, "UnsupportedDomain"],
        [{ ...alice, recoveryKey: "did:key:zNotAKey" }, "InvalidRequest"],
        [{ ...alice, plcOp: {} }, "InvalidRequest"]
      ]
      for (const [input, error] of expected) {
        const { status, body } = yield* signUp(input)
        assert.deepStrictEqual([status, body.error], [400, error], JSON.stringify(input))
      }
      assert.strictEqual((yield* signUp(alice)).status, 200)
    }).pipe(Effect.provide(world(new FakeAccounts(), open)))
  )

  it.effect("createAccount gives a handle and an email address to one account only", () =>
    Effect.gen(function* () {
      yield* signUp(alice)
      const sameHandle = yield* signUp({ ...alice, email: "other@mail.example" })
      assert.strictEqual(sameHandle.body.error, "HandleNotAvailable")
      const sameEmail = yield* signUp({ ...alice, handle: "other.pds.host" })
      assert.deepStrictEqual([sameEmail.status, sameEmail.body.error], [400, "InvalidRequest"])
    }).pipe(Effect.provide(world(new FakeAccounts(), open)))
  )

  it.effect(
    "createAccount requires an invite and counts its uses, except for the administrator",
    () =>
      Effect.gen(function* () {
        const missing = yield* signUp(alice)
        assert.strictEqual(missing.body.error, "InvalidInviteCode")
        const made = yield* call("com.atproto.server.createInviteCode", {
          input: { useCount: 1 },
          headers: admin
        })
        const inviteCode: string = made.body.code
        assert.match(inviteCode, /^pds-host-[a-z2-7]{5}-[a-z2-7]{5}$/)
        assert.strictEqual((yield* signUp({ ...alice, inviteCode })).status, 200)
        const bob = { handle: "bobby.pds.host", email: "bob@mail.example", password: "long enough" }
        const second = yield* signUp({ ...bob, inviteCode })
        assert.deepStrictEqual([second.status, second.body.error], [400, "InvalidInviteCode"])
        assert.strictEqual((yield* signUp(bob, admin)).status, 200)
      }).pipe(Effect.provide(world(new FakeAccounts())))
  )

  it.effect("createAccount lets the administrator use reserved and short names", () =>
    Effect.gen(function* () {
      assert.strictEqual((yield* signUp({ ...alice, handle: "al.pds.host" }, admin)).status, 200)
    }).pipe(Effect.provide(world(new FakeAccounts())))
  )

  it.effect("createAccount rejects wrong administrator credentials", () =>
    Effect.gen(function* () {
      const wrong = { authorization: `Basic ${btoa("admin:wrong")}` }
      const { status, body } = yield* signUp(alice, wrong)
      assert.deepStrictEqual([status, body.error], [401, "AuthenticationRequired"])
    }).pipe(Effect.provide(world(new FakeAccounts(), open)))
  )

  it.effect(
    "createAccount creates a did:web of this host for the administrator, active at once",
    () => {
      const accounts = new FakeAccounts()
      const local = { env: { PUBLIC_URL: "http://localhost:8787", HANDLE_DOMAINS: "test" } }
      return Effect.gen(function* () {
        const did = "did:web:localhost%3A8787"
        const input = { handle: "you.test", did, password: "long enough" }
        const stranger = yield* signUp({ ...input, inviteCode: "x" })
        assert.deepStrictEqual(
          [stranger.status, stranger.body.error],
          [401, "AuthenticationRequired"]
        )
        const { status, body } = yield* signUp(input, admin)
        assert.strictEqual(status, 200, JSON.stringify(body))
        assert.strictEqual(body.did, did)
        assert.strictEqual(body.didDoc.alsoKnownAs[0], "at://you.test")
        assert.isTrue(accounts.objects.get(did)?.announced)
        const again = yield* signUp({ ...input, handle: "other.test" }, admin)
        assert.deepStrictEqual([again.status, again.body.error], [400, "AlreadyExists"])
        assert.isTrue(accounts.objects.get(did)?.announced)
        const foreign = yield* signUp({ ...input, did: "did:web:other.com" }, admin)
        assert.strictEqual(foreign.status, 401)
      }).pipe(Effect.provide(world(accounts, local)))
    }
  )

  it.effect("createAccount lets the administrator assign the host's own name", () =>
    Effect.gen(function* () {
      const input = { handle: "pds.host", did: "did:web:pds.host", password: "long enough" }
      const { status, body } = yield* signUp(input, admin)
      assert.deepStrictEqual([status, body.handle], [200, "pds.host"])
    }).pipe(Effect.provide(world(new FakeAccounts())))
  )

  it.effect(
    "createAccount accepts an account that requests its own move: deactivated, without events",
    () => {
      const accounts = new FakeAccounts()
      return Effect.gen(function* () {
        yield* TestClock.setTime(1_700_000_000_000)
        const input = { handle: "mover.elsewhere.com", did: moverDid, password: "long enough" }
        const { status, body } = yield* signUp(input, yield* serviceToken())
        assert.strictEqual(status, 200, JSON.stringify(body))
        // A client would follow the document to the account's old server.
        assert.isUndefined(body.didDoc)
        const object = accounts.objects.get(moverDid)
        assert.isFalse(object?.made.active)
        assert.isFalse(object?.announced)
        assert.strictEqual((yield* (yield* Directory).byDid(moverDid))?.status, "deactivated")
        const again = yield* signUp(input, yield* serviceToken())
        assert.strictEqual(again.body.error, "AlreadyExists")
      }).pipe(Effect.provide(world(accounts, open)))
    }
  )

  it.effect(
    "createAccount rejects another account's token, and tokens for another server or method",
    () =>
      Effect.gen(function* () {
        yield* TestClock.setTime(1_700_000_000_000)
        const input = { handle: "mover.pds.host", did: moverDid, password: "long enough" }
        assert.strictEqual((yield* signUp(input)).body.error, "AuthenticationRequired")
        assert.strictEqual((yield* signUp(input, admin)).body.error, "AuthenticationRequired")
        const elsewhere = yield* signUp(input, yield* serviceToken("did:web:other.host"))
        assert.deepStrictEqual([elsewhere.status, elsewhere.body.error], [401, "BadJwtAudience"])
        const method = yield* signUp(
          input,
          yield* serviceToken(undefined, "com.atproto.repo.getRecord")
        )
        assert.strictEqual(method.body.error, "BadJwtLexiconMethod")
        const another = { ...input, did: "did:plc:another2another2another2" }
        const other = yield* signUp(another, yield* serviceToken())
        assert.strictEqual(other.body.error, "AuthenticationRequired")
      }).pipe(Effect.provide(world(new FakeAccounts(), open)))
  )

  it.effect(
    "createAccount rejects a moving account's own-domain handle that resolves elsewhere",
    () =>
      Effect.gen(function* () {
        yield* TestClock.setTime(1_700_000_000_000)
        const input = { handle: "stranger.com", did: moverDid, password: "long enough" }
        const { body } = yield* signUp(input, yield* serviceToken())
        assert.strictEqual(body.error, "InvalidHandle")
      }).pipe(Effect.provide(world(new FakeAccounts(), open)))
  )

  it.effect("createAccount never changes an object whose account the directory has lost", () => {
    const accounts = new FakeAccounts()
    const made = { did: moverDid, handle: "mover.pds.host", active: true }
    const signingKey = { curve: "k256", wrapped: new Uint8Array(), didKey: "did:key:z" } as const
    accounts.objects.set(moverDid, { made: { ...made, signingKey }, announced: true })
    return Effect.gen(function* () {
      yield* TestClock.setTime(1_700_000_000_000)
      const input = { handle: "mover.pds.host", did: moverDid, password: "long enough" }
      const { body } = yield* signUp(input, yield* serviceToken())
      assert.strictEqual(body.error, "AlreadyExists")
      assert.isTrue(accounts.objects.get(moverDid)?.announced)
      assert.strictEqual((yield* signUp({ ...alice, handle: "mover.pds.host" })).status, 200)
    }).pipe(Effect.provide(world(accounts, open)))
  })

  it.effect("createAccount is limited to 100 in 5 minutes per address", () =>
    Effect.gen(function* () {
      const input = { ...alice, password: "short" }
      const from = (address: string) => signUp(input, { "cf-connecting-ip": address })
      for (let n = 0; n < 100; n++) {
        assert.strictEqual((yield* from("192.0.2.1")).body.error, "InvalidPassword")
      }
      const { status, body, headers } = yield* from("192.0.2.1")
      assert.deepStrictEqual([status, body.error], [429, "RateLimitExceeded"])
      assert.strictEqual(headers.get("retry-after"), "300")
      assert.strictEqual((yield* from("192.0.2.2")).status, 400)
    }).pipe(Effect.provide(world(new FakeAccounts(), open)))
  )
})

describe("a sign-up that fails half way", () => {
  const rejected = Effect.fail(new AccountUnavailable({ operation: "create", did: "" }))
  const lost = Effect.die(new Error("the object was reset"))
  const unreachable = Effect.fail(new PlcUnavailable({ operation: "submit" }))
  const down = Effect.fail(new DirectoryUnavailable({ operation: "setStatus", cause: "down" }))

  const failures: ReadonlyArray<{
    readonly at: string
    readonly accounts?: FakeAccounts["fail"]
    readonly overrides?: () => Overrides
    readonly status?: number
    /** The DID may exist, so the object stays until its alarm knows. */
    readonly isUnsure?: true
  }> = [
    { at: "the object refuses", accounts: { call: "create", failure: rejected }, status: 503 },
    { at: "the object's answer is lost", accounts: { call: "create", failure: lost } },
    {
      at: "the PLC directory refuses",
      overrides: () => {
        const failing = Effect.fail(new PlcRefused({ did: "", reason: "no" }))
        return { plc: { submit: () => failing } }
      },
      status: 400
    },
    {
      at: "the PLC directory cannot be reached",
      overrides: () => ({ plc: { submit: () => unreachable } }),
      status: 502,
      isUnsure: true
    },
    {
      at: "the directory fails to confirm",
      overrides: () => ({ directory: { setStatus: () => down } }),
      status: 503
    }
  ]

  for (const { at, accounts: fail, overrides, status, isUnsure } of failures) {
    it.effect(`a failed sign-up leaves nothing behind when ${at}`, () => {
      const accounts = new FakeAccounts()
      accounts.fail = fail ?? {}
      return Effect.gen(function* () {
        const directory = yield* Directory
        yield* directory.createInvites({
          codes: [{ code: "code", forAccount: "admin" }],
          available: 1,
          createdBy: "admin"
        })
        const outcome = yield* Effect.exit(signUp({ ...alice, inviteCode: "code" }))
        if (status === undefined) assert.strictEqual(outcome._tag, "Failure")
        else assert.strictEqual(outcome._tag === "Success" && outcome.value.status, status)

        assert.strictEqual(accounts.objects.size, isUnsure === true ? 1 : 0)
        assert.deepStrictEqual((yield* directory.invitesOf("admin"))[0]?.uses, [])
        const reservation = { did: "did:plc:other", handle: alice.handle, email: alice.email }
        assert.deepStrictEqual(yield* directory.reserve({ ...reservation, invite: "code" }), [])
      }).pipe(Effect.provide(world(accounts, overrides?.() ?? {})))
    })
  }

  for (const [how, failure] of [
    ["refused", rejected],
    ["lost", lost]
  ] as const) {
    it.effect(
      `a sign-up stays complete when its announcement is ${how}, and the object announces it later`,
      () => {
        const accounts = new FakeAccounts()
        accounts.fail = { call: "announce", failure }
        return Effect.gen(function* () {
          const { status, body } = yield* signUp(alice)
          assert.strictEqual(status, 200)
          const did = String(body.did)
          assert.strictEqual(accounts.objects.size, 1)
          assert.strictEqual((yield* (yield* Directory).byDid(did))?.status, "active")
          assert.isDefined(yield* (yield* PlcDirectory).data(did))
        }).pipe(Effect.provide(world(accounts, open)))
      }
    )
  }

  it.effect("a failed sign-up ends the DID that it created", () => {
    const accounts = new FakeAccounts()
    let did = ""
    const setStatus = () => {
      did = [...accounts.objects.keys()][0] ?? ""
      return down
    }
    return Effect.gen(function* () {
      yield* signUp(alice)
      const plc = yield* PlcDirectory
      assert.strictEqual((yield* Effect.flip(plc.data(did)))._tag, "DidDeactivated")
    }).pipe(Effect.provide(world(accounts, { ...open, directory: { setStatus } })))
  })

  it.effect("the same DID can sign up again after an interruption", () => {
    const accounts = new FakeAccounts()
    return Effect.gen(function* () {
      const did = "did:web:pds.host"
      const directory = yield* Directory
      yield* directory.reserve({ did, handle: "alice.pds.host" })
      yield* accounts.service.call(did, "create", {
        did,
        handle: "alice.pds.host",
        signingKey: { curve: "k256", wrapped: new Uint8Array(), didKey: "did:key:z" },
        active: true
      })
      const input = { handle: "alice.pds.host", did, password: "long enough" }
      assert.strictEqual((yield* signUp(input, admin)).body.error, "AlreadyExists")
      yield* TestClock.adjust("1 minute")
      const { status, body } = yield* signUp(input, admin)
      assert.strictEqual(status, 200, JSON.stringify(body))
      assert.isTrue(accounts.objects.get(did)?.announced)
      assert.strictEqual(accounts.objects.get(did)?.made.password, "long enough")
    }).pipe(Effect.provide(world(accounts)))
  })
})
