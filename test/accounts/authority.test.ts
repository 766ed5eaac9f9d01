import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Redacted from "effect/Redacted"
import { TestClock } from "effect/testing"
import * as SignerKeys from "../../src/layers/identity/SignerKeys.ts"
import { AccountStore } from "../../src/services/accounts/AccountStore.ts"
import type { Authority } from "../../src/services/sessions/Authority.ts"
import { ServiceTokens } from "../../src/services/sessions/ServiceTokens.ts"
import { Sessions } from "../../src/services/sessions/Sessions.ts"
import { Signer } from "../../src/services/identity/Signer.ts"
import {
  alice,
  aliceIdentity,
  judge,
  plcIdentity,
  serverLayerWith,
  type Services,
  serviceDid,
  signUp,
  strangerKey
} from "../sessions/sessionServer.ts"
import { adminPassword } from "../sessions/accountServices.ts"

const lxm = "com.atproto.repo.uploadBlob"
const bob = plcIdentity([strangerKey])
const layer = serverLayerWith([aliceIdentity.document, bob.document])

const session = (level: "full" | "privileged" | "standard", more: object = {}): Authority => ({
  kind: "session",
  level,
  oauth: "no",
  ...more
})

/** Every authority that a method may declare. */
const authorities = {
  none: { kind: "none" },
  optional: { kind: "optional" },
  full: session("full"),
  privileged: session("privileged"),
  standard: session("standard"),
  takendown: session("full", { takendown: true }),
  upload: session("standard", { service: true, active: true }),
  refresh: { kind: "refresh" },
  end: { kind: "refresh", expired: true },
  service: { kind: "service" },
  admin: { kind: "admin" },
  moderator: { kind: "moderator" },
  object: { kind: "object", call: "authorizeUpload", demands: { kind: "none" } },
  signup: { kind: "signup" }
} satisfies Record<string, Authority>

const basic = (text: string) => `Basic ${btoa(text)}`

/** Every kind of credential. */
const credentials = Effect.gen(function* () {
  const sessions = yield* Sessions
  const tokens = yield* ServiceTokens
  const signer = yield* Signer
  const stranger = yield* SignerKeys.fromPrivateKey(
    "k256",
    Redacted.make(new Uint8Array(32).fill(9))
  )
  const access = Effect.fnUntraced(function* (
    level: "full" | "privileged" | "standard" | "takendown"
  ) {
    return `Bearer ${(yield* sessions.open(alice.did, { level })).accessJwt}`
  })
  const full = yield* sessions.open(alice.did, { level: "full" })
  const ended = yield* sessions.open(alice.did, { level: "full" })
  yield* sessions.end(String(JSON.parse(atob(ended.accessJwt.split(".")[1]!)).jti))
  const elsewhere = yield* sessions.open(bob.did, { level: "full" })
  const service = (iss: string, aud: string, method: string | undefined, by = signer) =>
    Effect.map(
      tokens.create(by, { iss, aud, ...(method === undefined ? {} : { lxm: method }) }),
      (token) => `Bearer ${token}`
    )
  return {
    nothing: undefined,
    garbage: "Bearer garbage",
    empty: "Bearer",
    full: `Bearer ${full.accessJwt}`,
    lowerCase: `bearer ${full.accessJwt}`,
    privileged: yield* access("privileged"),
    standard: yield* access("standard"),
    takendown: yield* access("takendown"),
    ended: `Bearer ${ended.accessJwt}`,
    elsewhere: `Bearer ${elsewhere.accessJwt}`,
    refresh: `Bearer ${full.refreshJwt}`,
    service: yield* service(alice.did, serviceDid, lxm),
    serviceNamed: yield* service(alice.did, `${serviceDid}#atproto_pds`, lxm),
    otherAudience: yield* service(alice.did, "did:web:elsewhere.test", lxm),
    otherMethod: yield* service(alice.did, serviceDid, "com.atproto.repo.createRecord"),
    noMethod: yield* service(alice.did, serviceDid, undefined),
    otherIssuer: yield* service(bob.did, serviceDid, lxm),
    otherKey: yield* service(alice.did, serviceDid, lxm, stranger),
    admin: basic(`admin:${adminPassword}`),
    wrongAdmin: basic(`admin:${adminPassword}x`),
    otherUser: basic(`alice:${adminPassword}`),
    malformedBasic: "Basic %%%",
    dpop: `DPoP ${full.accessJwt}`
  }
})

type Credential = Effect.Success<typeof credentials>

/** The caller's kind (and level), or the name of the error. */
const outcome = (authority: Authority, authorization: string | undefined) =>
  judge(authority, authorization, lxm).pipe(
    Effect.map((caller) => (caller.kind === "session" ? `session ${caller.level}` : caller.kind)),
    Effect.catch((denied) => Effect.succeed(denied.error))
  )

const everyCredential = Effect.fnUntraced(function* (authority: Authority) {
  const outcomes: Record<string, string> = {}
  for (const [name, authorization] of Object.entries(yield* credentials)) {
    outcomes[name] = yield* outcome(authority, authorization)
  }
  return outcomes as Record<keyof Credential, string>
})

/** The outcomes for sessions by level, when anything but a valid session fails the same way. */
const sessionTable = (levels: Partial<Record<keyof Credential, string>>) => ({
  nothing: "AuthMissing",
  garbage: "InvalidToken",
  empty: "InvalidToken",
  full: "session full",
  lowerCase: "session full",
  privileged: "InvalidToken",
  standard: "InvalidToken",
  takendown: "InvalidToken",
  ended: "ExpiredToken",
  elsewhere: "InvalidToken",
  refresh: "InvalidToken",
  service: "InvalidToken",
  serviceNamed: "InvalidToken",
  otherAudience: "InvalidToken",
  otherMethod: "InvalidToken",
  noMethod: "InvalidToken",
  otherIssuer: "InvalidToken",
  otherKey: "InvalidToken",
  admin: "InvalidToken",
  wrongAdmin: "InvalidToken",
  otherUser: "InvalidToken",
  malformedBasic: "InvalidToken",
  dpop: "invalid_token",
  ...levels
})

const all = (outcome: string, but: Partial<Record<keyof Credential, string>>) => ({
  ...Object.fromEntries(Object.keys(sessionTable({})).map((name) => [name, outcome])),
  ...but
})

const serviceTable = {
  service: "service",
  serviceNamed: "service",
  otherAudience: "BadJwtAudience",
  otherMethod: "BadJwtLexiconMethod",
  otherIssuer: "UntrustedIss",
  otherKey: "BadJwtSignature"
}

const refreshTable = sessionTable({
  full: "InvalidToken",
  lowerCase: "InvalidToken",
  ended: "InvalidToken",
  refresh: "refresh",
  dpop: "InvalidToken"
})
const expected: Record<keyof typeof authorities, Record<string, string>> = {
  none: all("anonymous", {}),
  optional: all("anonymous", {
    full: "session full",
    lowerCase: "session full",
    privileged: "session privileged",
    standard: "session standard",
    takendown: "session takendown",
    admin: "admin"
  }),
  full: sessionTable({}),
  privileged: sessionTable({ privileged: "session privileged" }),
  standard: sessionTable({ privileged: "session privileged", standard: "session standard" }),
  takendown: sessionTable({ takendown: "session takendown" }),
  upload: sessionTable({
    privileged: "session privileged",
    standard: "session standard",
    ...serviceTable
  }),
  refresh: refreshTable,
  end: refreshTable,
  service: all("BadJwt", {
    nothing: "AuthMissing",
    empty: "AuthMissing",
    full: "BadJwtType",
    lowerCase: "BadJwtType",
    privileged: "BadJwtType",
    standard: "BadJwtType",
    takendown: "BadJwtType",
    ended: "BadJwtType",
    elsewhere: "BadJwtType",
    refresh: "BadJwtType",
    noMethod: "BadJwtLexiconMethod",
    admin: "InvalidToken",
    wrongAdmin: "InvalidToken",
    otherUser: "InvalidToken",
    malformedBasic: "InvalidToken",
    dpop: "InvalidToken",
    ...serviceTable
  }),
  admin: all("AuthenticationRequired", { nothing: "AuthMissing", admin: "admin" }),
  moderator: all("Forbidden", {}),
  object: all("Forbidden", {}),
  signup: all("Forbidden", {})
}

describe("the caller of an account's object", () => {
  for (const [name, authority] of Object.entries(authorities)) {
    it.effect(`each kind of credential has the expected outcome for the authority "${name}"`, () =>
      Effect.gen(function* () {
        yield* TestClock.setTime(1_767_225_600_000)
        yield* signUp()
        const outcomes = yield* everyCredential(authority)
        assert.deepStrictEqual(outcomes, expected[name as keyof typeof authorities])
      }).pipe(Effect.provide(layer))
    )
  }

  const check = <E>(
    title: string,
    body: (credential: Credential) => Effect.Effect<void, E, Services>
  ) =>
    it.effect(title, () =>
      Effect.gen(function* () {
        yield* TestClock.setTime(1_767_225_600_000)
        yield* signUp()
        yield* body(yield* credentials)
      }).pipe(Effect.provide(layer))
    )

  check("a rejected session gets the protocol's error messages", (credential) =>
    Effect.gen(function* () {
      const message = (authorization: string | undefined) =>
        Effect.map(Effect.flip(judge(authorities.full, authorization)), ({ message }) => message)
      assert.strictEqual(yield* message(undefined), "Authentication Required")
      assert.strictEqual(yield* message(credential.standard), "Bad token scope")
      assert.strictEqual(yield* message(credential.refresh), "Bad token scope")
      assert.strictEqual(yield* message(credential.ended), "Token has been revoked")
      yield* TestClock.adjust("121 minutes")
      const expired = yield* Effect.flip(judge(authorities.full, credential.full))
      assert.strictEqual(expired.error, "ExpiredToken")
      assert.strictEqual(expired.message, "Token has expired")
    })
  )

  check("an expired refresh token may end its session but not refresh it", (credential) =>
    Effect.gen(function* () {
      yield* TestClock.adjust("91 days")
      assert.strictEqual(yield* outcome(authorities.refresh, credential.refresh), "ExpiredToken")
      assert.strictEqual(yield* outcome(authorities.end, credential.refresh), "refresh")
    })
  )

  check("a deactivated account is rejected where the account must be active", (credential) =>
    Effect.gen(function* () {
      yield* (yield* AccountStore).update({ deactivatedAt: "2026-01-01T00:00:00.000Z" })
      assert.strictEqual(yield* outcome(authorities.upload, credential.full), "AccountDeactivated")
      assert.strictEqual(
        yield* outcome(authorities.upload, credential.service),
        "AccountDeactivated"
      )
      assert.strictEqual(yield* outcome(authorities.full, credential.full), "session full")
    })
  )

  for (const takedown of ["takendown", "suspended"] as const) {
    check(
      `the owner of a ${takedown} account may do what leaving needs, and no more`,
      (credential) =>
        Effect.gen(function* () {
          yield* (yield* AccountStore).update({ takedown })
          const outcomes = Effect.fnUntraced(function* (authority: Authority) {
            const { full, privileged, standard, takendown, service } = credential
            const each = [full, privileged, standard, takendown, service]
            return yield* Effect.forEach(each, (authorization) => outcome(authority, authorization))
          })
          const down = "AccountTakedown"
          assert.deepStrictEqual(yield* outcomes(authorities.standard), [
            down,
            down,
            down,
            "InvalidToken",
            "InvalidToken"
          ])
          assert.deepStrictEqual(yield* outcomes(session("standard", { takendown: true })), [
            "session takendown",
            down,
            down,
            "session takendown",
            "InvalidToken"
          ])
          assert.strictEqual(yield* outcome(authorities.upload, credential.service), down)
          assert.deepStrictEqual(yield* outcomes(authorities.optional), [
            "session takendown",
            "anonymous",
            "anonymous",
            "session takendown",
            "anonymous"
          ])
        })
    )
  }

  check("one service auth token may upload several times", (credential) =>
    Effect.gen(function* () {
      assert.strictEqual(yield* outcome(authorities.upload, credential.service), "service")
      assert.strictEqual(yield* outcome(authorities.upload, credential.service), "service")
    })
  )

  it.effect("an object without an account reports AccountNotFound", () =>
    Effect.gen(function* () {
      for (const name of ["full", "upload", "refresh", "service"] as const) {
        assert.strictEqual(yield* outcome(authorities[name], "Bearer a.b.c"), "AccountNotFound")
        assert.strictEqual(yield* outcome(authorities[name], undefined), "AuthMissing")
      }
      assert.strictEqual(yield* outcome(authorities.optional, "Bearer a.b.c"), "anonymous")
      assert.strictEqual(
        yield* outcome(authorities.admin, basic(`admin:${adminPassword}`)),
        "admin"
      )
    }).pipe(Effect.provide(layer))
  )
})
