import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import { TestClock } from "effect/testing"
import { HostDatabase } from "../../../src/layers/host/sql/HostDatabase.ts"
import { buckets } from "../../../src/layers/host/sql/buckets.ts"
import { perBucket } from "../../../src/layers/oauth/OAuthRequestsD1.ts"
import type { AuthorizationRequest } from "../../../src/core/oauth/types.ts"
import { type CodeGrant, OAuthRequests } from "../../../src/services/oauth/OAuthRequests.ts"
import { alphabets, variedBits } from "../../support/randomBits.ts"

type Service = OAuthRequests["Service"]

const parameters: AuthorizationRequest = {
  clientId: "https://app.example.com/client.json",
  redirectUri: "https://app.example.com/callback",
  scope: "atproto repo:*",
  state: "state of the app: ünïcode",
  codeChallenge: "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM",
  responseMode: "query",
  loginHint: "alice.test"
}

const request = {
  parameters,
  clientAuth: { method: "private_key_jwt", alg: "ES256", kid: "key-1", jkt: "client" },
  jkt: "thumbprint"
} as const

const grant: CodeGrant = {
  ...request,
  did: "did:plc:alice",
  scope: "atproto",
  device: "device-1",
  session: "session-1"
}

const start = 1_700_000_000_000

const together = { concurrency: "unbounded" } as const

/** Every row of the provider's tables, as text. */
const stored = Effect.fnUntraced(function* () {
  const { sql } = yield* HostDatabase
  const rows = yield* Effect.all([
    sql`SELECT * FROM oauth_request`,
    sql`SELECT * FROM oauth_code`,
    sql`SELECT * FROM oauth_used_once`
  ])
  return { counts: rows.map(({ length }) => length), text: JSON.stringify(rows) }
})

/**
 * Fills every bucket of a table with this many rows; `rest` are the columns after the key, by the
 * number `n`.
 */
const fillBuckets = Effect.fnUntraced(function* (table: string, rest: string, each: number) {
  const { sql } = yield* HostDatabase
  const letters = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"
  yield* sql.unsafe(`WITH RECURSIVE
    letter (at, c) AS (SELECT 1, 'A' UNION ALL SELECT at + 1, substr('${letters}', at + 1, 1) FROM letter WHERE at < 64),
    up (n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM up WHERE n < ${each})
    INSERT INTO ${table} SELECT one.c || two.c || '${each}.' || n, ${rest}
    FROM letter AS one CROSS JOIN letter AS two CROSS JOIN up`)
})

/** The number of rows in each table. */
const counts = Effect.gen(function* () {
  const { sql } = yield* HostDatabase
  return yield* Effect.forEach(["oauth_request", "oauth_code", "oauth_used_once"], (table) =>
    Effect.map(sql<{ n: number }>`SELECT count(*) AS n FROM ${sql(table)}`, ([row]) => row?.n ?? 0)
  )
})

/** What OAuthRequests guarantees; `fresh` creates one over an empty database. */
export const oauthRequestsContract = (
  name: string,
  fresh: () => Layer.Layer<OAuthRequests | HostDatabase>
) => {
  const check = (
    title: string,
    body: (requests: Service) => Effect.Effect<void, unknown, HostDatabase>
  ) =>
    it.effect(title, () =>
      TestClock.setTime(start).pipe(
        Effect.andThen(Effect.flatMap(OAuthRequests, body)),
        Effect.provide(Layer.fresh(fresh()))
      )
    )

  describe(`OAuthRequests over ${name}`, () => {
    check("open returns a pushed request to the device that opens it", (requests) =>
      Effect.gen(function* () {
        const { requestUri, expiresIn } = yield* requests.push(request)
        assert.match(requestUri, /^urn:ietf:params:oauth:request_uri:req-[\w-]{22}$/)
        assert.strictEqual(expiresIn, 300)
        assert.deepStrictEqual(yield* requests.open(requestUri, "device-1"), {
          ...request,
          createdAt: start,
          expiresAt: start + 300_000,
          device: "device-1"
        })
      })
    )

    check("request URIs have 128 random bits, and codes 256", (requests) =>
      Effect.gen(function* () {
        const uris = yield* Effect.all(Array.from({ length: 64 }, () => requests.push(request)))
        const names = uris.map(({ requestUri }) => requestUri.split("req-")[1] ?? "")
        assert.strictEqual(variedBits(names, alphabets.base64url), 128)
        const codes = yield* Effect.all(
          Array.from({ length: 64 }, () => requests.createCode(grant))
        )
        const texts = codes.map((code) => code.replace(/^cod-/, ""))
        assert.strictEqual(variedBits(texts, alphabets.base64url), 256)
      })
    )

    check("a request is found only by its complete URI", (requests) =>
      Effect.gen(function* () {
        const { requestUri } = yield* requests.push(request)
        for (const other of ["", "req-", `${requestUri}x`, requestUri.toUpperCase()]) {
          assert.isUndefined(yield* requests.open(other, "device-1"))
          assert.isUndefined(yield* requests.take(other, "device-1"))
        }
        const again = yield* requests.push(request)
        assert.notStrictEqual(again.requestUri, requestUri)
      })
    )

    check("a request is bound to the device that opens it first", (requests) =>
      Effect.gen(function* () {
        const { requestUri } = yield* requests.push(request)
        const opened = yield* Effect.forEach(
          ["a", "b", "c", "d", "e"],
          (device) => requests.open(requestUri, device),
          together
        )
        const [winner, ...others] = opened.filter((one) => one !== undefined)
        assert.strictEqual(others.length, 0)
        const device = winner!.device!
        assert.isDefined(yield* requests.open(requestUri, device))
        const stranger = device === "a" ? "b" : "a"
        assert.isUndefined(yield* requests.open(requestUri, stranger))
        assert.isUndefined(yield* requests.take(requestUri, stranger))
        assert.isDefined(yield* requests.take(requestUri, device))
      })
    )

    check("only a device that has opened a request can take it", (requests) =>
      Effect.gen(function* () {
        const { requestUri } = yield* requests.push(request)
        assert.isUndefined(yield* requests.take(requestUri, "device-1"))
        assert.isDefined(yield* requests.open(requestUri, "device-1"))
      })
    )

    check("an unopened request expires after five minutes", (requests) =>
      Effect.gen(function* () {
        const { requestUri } = yield* requests.push(request)
        yield* TestClock.adjust("5 minutes")
        assert.isUndefined(yield* requests.open(requestUri, "device-1"))
        assert.isUndefined(yield* requests.take(requestUri, "device-1"))
      })
    )

    check("a request stays valid while its user is active, for at most an hour", (requests) =>
      Effect.gen(function* () {
        const { requestUri } = yield* requests.push(request)
        for (let minutes = 0; minutes < 56; minutes += 4) {
          const opened = yield* requests.open(requestUri, "device-1")
          assert.strictEqual(opened?.expiresAt, start + (minutes + 5) * 60_000)
          yield* TestClock.adjust("4 minutes")
        }
        const last = yield* requests.open(requestUri, "device-1")
        assert.strictEqual(last?.expiresAt, start + 60 * 60_000)
        yield* TestClock.adjust("4 minutes")
        assert.isUndefined(yield* requests.open(requestUri, "device-1"))
        assert.isUndefined(yield* requests.take(requestUri, "device-1"))
      })
    )

    check("one of many concurrent callers takes a request", (requests) =>
      Effect.gen(function* () {
        const { requestUri } = yield* requests.push(request)
        yield* requests.open(requestUri, "device-1")
        const taken = yield* Effect.all(
          Array.from({ length: 8 }, () => requests.take(requestUri, "device-1")),
          together
        )
        const winners = taken.filter((one) => one !== undefined)
        assert.deepStrictEqual(
          winners.map((one) => one.parameters),
          [parameters]
        )
        assert.isUndefined(yield* requests.open(requestUri, "device-1"))
      })
    )

    check("one of many concurrent callers redeems a code", (requests) =>
      Effect.gen(function* () {
        const code = yield* requests.createCode(grant)
        assert.match(code, /^cod-[\w-]{43}$/)
        const outcomes = yield* Effect.all(
          Array.from({ length: 8 }, () => requests.redeem(code)),
          together
        )
        const won = outcomes.filter(({ kind }) => kind === "redeemed")
        assert.deepStrictEqual(won, [{ kind: "redeemed", grant, agreedAt: start }])
        const lost = outcomes.filter(({ kind }) => kind !== "redeemed")
        const replayed = { kind: "replayed", did: grant.did, session: grant.session } as const
        assert.deepStrictEqual(
          lost,
          Array.from({ length: 7 }, () => replayed)
        )
      })
    )

    check("redeem rejects an expired code and an unknown one", (requests) =>
      Effect.gen(function* () {
        const late = yield* requests.createCode(grant)
        yield* TestClock.adjust("59 seconds")
        const inTime = yield* requests.createCode(grant)
        yield* TestClock.adjust("1 second")
        assert.deepStrictEqual(yield* requests.redeem(late), { kind: "unknown" })
        assert.deepStrictEqual(yield* requests.redeem(late), { kind: "unknown" })
        assert.strictEqual((yield* requests.redeem(inTime)).kind, "redeemed")
        assert.deepStrictEqual(yield* requests.redeem("cod-"), { kind: "unknown" })
      })
    )

    check("redeem recognizes a replayed code for a day", (requests) =>
      Effect.gen(function* () {
        const code = yield* requests.createCode(grant)
        yield* requests.redeem(code)
        yield* TestClock.adjust("23 hours")
        assert.strictEqual((yield* requests.redeem(code)).kind, "replayed")
        yield* TestClock.adjust("1 hour")
        assert.strictEqual((yield* requests.redeem(code)).kind, "unknown")
      })
    )

    check("useOnce succeeds once among concurrent calls, until the key expires", (requests) =>
      Effect.gen(function* () {
        const uses = yield* Effect.all(
          Array.from({ length: 8 }, () => requests.useOnce("dpop:key:1", start + 60_000)),
          together
        )
        assert.strictEqual(uses.filter((used) => used).length, 1)
        assert.isTrue(yield* requests.useOnce("dpop:key:2", start + 60_000))
        yield* TestClock.adjust("59 seconds")
        assert.isFalse(yield* requests.useOnce("dpop:key:1", start + 120_000))
        yield* TestClock.adjust("1 second")
        assert.isTrue(yield* requests.useOnce("dpop:key:1", start + 120_000))
        assert.isFalse(yield* requests.useOnce("dpop:key:1", start + 120_000))
      })
    )

    check("the database contains only hashes of URIs, codes and keys", (requests) =>
      Effect.gen(function* () {
        const { requestUri } = yield* requests.push(request)
        const code = yield* requests.createCode(grant)
        yield* requests.useOnce("a long key that is used once", start + 60_000)
        const { counts, text } = yield* stored()
        assert.deepStrictEqual(counts, [1, 1, 1])
        for (const secret of [requestUri.split("req-")[1]!, code.slice(4), "a long key"]) {
          assert.notInclude(text, secret)
        }
      })
    )

    check("expired rows are removed by new ones, in limited steps", (requests) =>
      Effect.gen(function* () {
        yield* Effect.forEach(Array.from({ length: 30 }).keys(), (n) =>
          Effect.all([
            requests.push(request),
            requests.createCode(grant),
            requests.useOnce(`key ${n}`, start + 60_000)
          ])
        )
        assert.deepStrictEqual((yield* stored()).counts, [30, 30, 30])
        const one = Effect.all([
          requests.push(request),
          requests.createCode(grant),
          requests.useOnce("another key", start + 7 * 24 * 60 * 60_000)
        ])
        yield* TestClock.adjust("24 hours")
        yield* one
        assert.deepStrictEqual((yield* stored()).counts, [11, 11, 11])
        yield* one
        assert.deepStrictEqual((yield* stored()).counts, [2, 2, 1])
      })
    )

    check("an unopened request is deleted after five minutes", (requests) =>
      Effect.gen(function* () {
        const { requestUri } = yield* requests.push(request)
        yield* requests.push(request)
        yield* TestClock.adjust("4 minutes")
        yield* requests.open(requestUri, "device-1")
        yield* TestClock.adjust("1 minute")
        yield* requests.push(request)
        assert.deepStrictEqual((yield* stored()).counts, [2, 0, 0])
        assert.isDefined(yield* requests.open(requestUri, "device-1"))
      })
    )

    check("a bucket holds a few requests, and drops unopened ones first", (requests) =>
      Effect.gen(function* () {
        yield* requests.push(request)
        yield* fillBuckets("oauth_request", "'{}', '{}', 'key', 0, 9e15, 'opened'", 1)
        yield* fillBuckets("oauth_request", "'{}', '{}', 'key', 1, 9e15, NULL", perBucket.requests)
        const { sql } = yield* HostDatabase
        const count = Effect.map(
          sql<{
            n: number
            opened: number
          }>`SELECT count(*) AS n, count(device) AS opened FROM oauth_request`,
          ([row]) => row!
        )
        const before = yield* count
        const { requestUri } = yield* requests.push(request)
        // Two were removed for a new one, and every opened one is still there.
        assert.deepStrictEqual(yield* count, { n: before.n - 1, opened: buckets })
        assert.isDefined(yield* requests.open(requestUri, "device-1"))
      })
    )

    check("a bucket holds a few codes, and drops the oldest", (requests) =>
      Effect.gen(function* () {
        yield* requests.createCode(grant)
        yield* fillBuckets("oauth_code", "'{}', 1700000000000 - n, NULL", perBucket.codes + 1)
        const [, before = 0] = yield* counts
        const code = yield* requests.createCode(grant)
        assert.strictEqual((yield* counts)[1], before - 1)
        assert.strictEqual((yield* requests.redeem(code)).kind, "redeemed")
      })
    )

    check("a full bucket of used keys rejects new keys and forgets none", (requests) =>
      Effect.gen(function* () {
        assert.isTrue(yield* requests.useOnce("of before", start + 60_000))
        yield* fillBuckets("oauth_used_once", `${start + 60_000}`, perBucket.usedOnce)
        assert.isFalse(yield* requests.useOnce("new", start + 60_000))
        assert.isFalse(yield* requests.useOnce("of before", start + 60_000))
        // Service auth fills its own buckets.
        assert.isTrue(yield* requests.useOnce("service:one", start + 60_000))
        assert.isFalse(yield* requests.useOnce("service:one", start + 60_000))
        yield* TestClock.adjust("1 minute")
        assert.isTrue(yield* requests.useOnce("new", start + 120_000))
        assert.isTrue(yield* requests.useOnce("of before", start + 120_000))
      })
    )
  })
}
