import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import { TestClock } from "effect/testing"
import { Secret } from "otpauth/bare"
import { totpCode } from "./totpCode.ts"
import * as SecondFactorsSqlite from "../../src/layers/factors/SecondFactorsSqlite.ts"
import { AccountStore } from "../../src/services/accounts/AccountStore.ts"
import { SecondFactors } from "../../src/services/factors/SecondFactors.ts"
import { SqlStorage } from "../../src/services/host/SqlStorage.ts"
import {
  alice,
  type Inside,
  otherConfigLayer,
  rowsWritten,
  type Run
} from "../sessions/accountServices.ts"
import { alphabets, variedBits } from "../support/randomBits.ts"

const { did } = alice
const start = 1_767_225_600_000
const minute = 60_000

/** The code of an authenticator with this secret at a time. */
const codeAt = (secret: string, now: number) => totpCode(Secret.fromBase32(secret).bytes, now)

/** A six-digit code that is not valid around this time. */
const wrongCode = (secret: string, now: number) => {
  const near = [-1, 0, 1].map((step) => codeAt(secret, now + step * 30_000))
  return ["000000", "000001", "000002", "000003"].find((code) => !near.includes(code))!
}

const failing = (code: string) =>
  Effect.map(
    Effect.flip(Effect.flatMap(SecondFactors, (factors) => factors.use(did, code))),
    ({ _tag }) => _tag
  )

const counted = <A, E>(body: (own: SecondFactors["Service"]) => Effect.Effect<A, E>) =>
  rowsWritten(Effect.flatMap(SecondFactors, (own) => body(own)))

/** What every SecondFactors guarantees. */
export const secondFactorsContract = (name: string, run: Run<Inside>) =>
  describe(`SecondFactors over ${name}`, () => {
    const check = <E>(
      title: string,
      body: (factors: SecondFactors["Service"]) => Effect.Effect<void, E, Inside>
    ) =>
      it(title, () =>
        run(
          Effect.gen(function* () {
            yield* TestClock.setTime(start)
            yield* (yield* AccountStore).create(alice)
            yield* body(yield* SecondFactors)
          })
        )
      )

    /** An authenticator that is active since `start`, with its secret and its recovery codes. */
    const confirmed = Effect.fnUntraced(function* (factors: SecondFactors["Service"]) {
      const { secret } = yield* factors.begin(did)
      const codes = yield* factors.confirm(did, codeAt(secret, start))
      return { secret, codes }
    })

    check("the second factor is off until the pending secret's first code confirms it", (factors) =>
      Effect.gen(function* () {
        assert.isFalse(yield* factors.isOn)
        const none = yield* Effect.flip(factors.confirm(did, "000000"))
        assert.strictEqual(none._tag, "NoAuthenticator")
        const { secret } = yield* factors.begin(did)
        assert.match(secret, /^[A-Z2-7]{32}$/)
        assert.isFalse(yield* factors.isOn)
        assert.strictEqual(yield* failing(codeAt(secret, start)), "WrongCode")
        const wrong = yield* Effect.flip(factors.confirm(did, wrongCode(secret, start)))
        assert.strictEqual(wrong._tag, "WrongCode")
        assert.isFalse(yield* factors.isOn)
        const codes = yield* factors.confirm(did, codeAt(secret, start))
        assert.strictEqual(new Set(codes).size, 10)
        for (const code of codes) assert.match(code, /^[0-9a-z]{5}-[0-9a-z]{5}$/)
        assert.isTrue(yield* factors.isOn)
        assert.deepStrictEqual(yield* factors.status, {
          authenticatorSince: start,
          recoveryCodesLeft: 10
        })
      })
    )

    check("begin creates a new secret each time, and only the last can be confirmed", (factors) =>
      Effect.gen(function* () {
        const first = yield* factors.begin(did)
        const second = yield* factors.begin(did)
        assert.notStrictEqual(first.secret, second.secret)
        const old = yield* Effect.flip(factors.confirm(did, codeAt(first.secret, start)))
        assert.strictEqual(old._tag, "WrongCode")
        yield* factors.confirm(did, codeAt(second.secret, start))
      })
    )

    check("the active secret stays until another is confirmed", (factors) =>
      Effect.gen(function* () {
        const old = yield* confirmed(factors)
        const { secret } = yield* factors.begin(did)
        yield* TestClock.adjust(minute)
        assert.strictEqual(
          yield* factors.use(did, codeAt(old.secret, start + minute)),
          "authenticator"
        )
        const codes = yield* factors.confirm(did, codeAt(secret, start + minute))
        yield* TestClock.adjust(minute)
        const now = start + 2 * minute
        assert.strictEqual(yield* failing(codeAt(old.secret, now)), "WrongCode")
        assert.strictEqual(yield* failing(old.codes[0]!), "WrongCode")
        assert.strictEqual(yield* factors.use(did, codeAt(secret, now)), "authenticator")
        assert.strictEqual(yield* factors.use(did, codes[0]!), "recovery")
      })
    )

    check("a code works once, including the one that confirmed, and older ones never", (factors) =>
      Effect.gen(function* () {
        const { secret } = yield* confirmed(factors)
        assert.strictEqual(yield* failing(codeAt(secret, start)), "WrongCode")
        yield* TestClock.adjust(minute)
        const now = start + minute
        const [before, own, after] = [now - 30_000, now, now + 30_000].map((at) =>
          codeAt(secret, at)
        )
        assert.strictEqual(yield* factors.use(did, own!), "authenticator")
        assert.strictEqual(yield* failing(own!), "WrongCode")
        assert.strictEqual(yield* failing(before!), "WrongCode")
        assert.strictEqual(yield* factors.use(did, after!), "authenticator")
      })
    )

    check("a code is accepted as apps show it and people type it", (factors) =>
      Effect.gen(function* () {
        const { secret, codes } = yield* confirmed(factors)
        yield* TestClock.adjust(minute)
        const code = codeAt(secret, start + minute)
        yield* factors.use(did, ` ${code.slice(0, 3)} ${code.slice(3)} `)
        assert.strictEqual(
          yield* factors.use(did, codes[0]!.toUpperCase().replace("-", " ")),
          "recovery"
        )
      })
    )

    check("one of ten concurrent uses of a code succeeds", (factors) =>
      Effect.gen(function* () {
        const { secret, codes } = yield* confirmed(factors)
        yield* TestClock.adjust(minute)
        const winners = Effect.fnUntraced(function* (code: string) {
          const uses = Array.from({ length: 10 }, () => Effect.result(factors.use(did, code)))
          const results = yield* Effect.all(uses, { concurrency: "unbounded" })
          return results.filter(({ _tag }) => _tag === "Success").length
        })
        assert.strictEqual(yield* winners(codeAt(secret, start + minute)), 1)
        yield* TestClock.adjust(20 * minute)
        assert.strictEqual(yield* winners(codes[3]!), 1)
        assert.strictEqual((yield* factors.status).recoveryCodesLeft, 9)
      })
    )

    check("each recovery code works once", (factors) =>
      Effect.gen(function* () {
        const { codes } = yield* confirmed(factors)
        for (const code of codes) {
          assert.strictEqual(yield* factors.use(did, code), "recovery")
          assert.strictEqual(yield* failing(code), "WrongCode")
          yield* TestClock.adjust(2 * minute)
        }
        assert.deepStrictEqual(yield* factors.status, {
          authenticatorSince: start,
          recoveryCodesLeft: 0
        })
      })
    )

    check("renewRecoveryCodes replaces the codes if there is an authenticator", (factors) =>
      Effect.gen(function* () {
        const none = yield* Effect.flip(factors.renewRecoveryCodes)
        assert.strictEqual(none._tag, "NoAuthenticator")
        const { codes } = yield* confirmed(factors)
        const renewed = yield* factors.renewRecoveryCodes
        assert.strictEqual(new Set([...codes, ...renewed]).size, 20)
        assert.strictEqual(yield* failing(codes[0]!), "WrongCode")
        assert.strictEqual(yield* factors.use(did, renewed[0]!), "recovery")
      })
    )

    check("disable removes recovery codes and a pending secret too", (factors) =>
      Effect.gen(function* () {
        const { secret, codes } = yield* confirmed(factors)
        const begun = yield* factors.begin(did)
        yield* factors.disable
        assert.isFalse(yield* factors.isOn)
        yield* TestClock.adjust(minute)
        const now = start + minute
        assert.strictEqual(yield* failing(codeAt(secret, now)), "WrongCode")
        assert.strictEqual(yield* failing(codes[0]!), "WrongCode")
        const ended = yield* Effect.flip(factors.confirm(did, codeAt(begun.secret, now)))
        assert.strictEqual(ended._tag, "NoAuthenticator")
        assert.deepStrictEqual(yield* factors.status, {
          authenticatorSince: undefined,
          recoveryCodesLeft: 0
        })
      })
    )

    check("every code is rejected for a while after ten wrong ones in 15 minutes", (factors) =>
      Effect.gen(function* () {
        const { secret, codes } = yield* confirmed(factors)
        for (let wrong = 0; wrong < 10; wrong++) {
          yield* TestClock.adjust(minute)
          const now = start + (wrong + 1) * minute
          const code = wrong % 2 === 0 ? wrongCode(secret, now) : "00000-00000"
          assert.strictEqual(yield* failing(code), "WrongCode")
        }
        const now = start + 10 * minute
        const good = codeAt(secret, now)
        const first = yield* Effect.flip(factors.use(did, good))
        assert.strictEqual(first._tag, "TooManyCodes")
        assert.strictEqual("retryAfterSeconds" in first && first.retryAfterSeconds, 6 * 60)
        assert.strictEqual(yield* failing(codes[0]!), "TooManyCodes")
        // The object sleeps and wakes with nothing in memory.
        const woken = yield* Effect.provide(SecondFactors, Layer.fresh(SecondFactorsSqlite.layer))
        const still = yield* Effect.flip(woken.use(did, codes[0]!))
        assert.strictEqual(still._tag, "TooManyCodes")
        yield* factors.begin(did)
        const confirming = yield* Effect.flip(factors.confirm(did, good))
        assert.strictEqual(confirming._tag, "TooManyCodes")
        yield* TestClock.adjust(6 * minute)
        assert.strictEqual(yield* factors.use(did, codes[0]!), "recovery")
        assert.strictEqual(yield* failing("00000-00000"), "WrongCode")
        assert.strictEqual(yield* failing(codes[1]!), "TooManyCodes")
      })
    )

    check("each of many concurrent wrong codes counts", (factors) =>
      Effect.gen(function* () {
        yield* confirmed(factors)
        const attempts = Array.from({ length: 40 }, () => failing("00000-00000"))
        const tags = yield* Effect.all(attempts, { concurrency: "unbounded" })
        assert.strictEqual(tags.filter((tag) => tag === "WrongCode").length, 10)
        assert.strictEqual(tags.filter((tag) => tag === "TooManyCodes").length, 30)
      })
    )

    check("the database contains neither the secret nor a recovery code", (factors) =>
      Effect.gen(function* () {
        const { secret, codes } = yield* confirmed(factors)
        const sql = yield* SqlStorage
        const rows = ["authenticator", "recovery_code", "wrong_code"].flatMap((table) =>
          sql
            .exec<Record<string, string | number | ArrayBuffer>>(`SELECT * FROM ${table}`)
            .toArray()
        )
        const stored = rows
          .flatMap((row) => Object.values(row))
          .map((value) =>
            typeof value === "object" ? Buffer.from(value).toString("latin1") : String(value)
          )
          .join("\n")
        assert.isAbove(stored.length, 400)
        assert.notInclude(stored, secret)
        assert.notInclude(stored, Buffer.from(Secret.fromBase32(secret).bytes).toString("latin1"))
        for (const code of codes) {
          assert.notInclude(stored, code)
          assert.notInclude(stored, code.replace("-", ""))
        }
      })
    )

    check("a recovery code is invalid under another master key", (factors) =>
      Effect.gen(function* () {
        const { codes } = yield* confirmed(factors)
        const sql = yield* SqlStorage
        const kept = sql.exec<{ hash: string }>("SELECT hash FROM recovery_code").toArray()
        const elsewhere = yield* Effect.provide(
          SecondFactors,
          Layer.provide(Layer.fresh(SecondFactorsSqlite.layer), otherConfigLayer)
        )
        const theirs = yield* confirmed(elsewhere)
        for (const { hash } of kept) sql.exec("INSERT INTO recovery_code VALUES (?)", hash)
        const refused = yield* Effect.flip(elsewhere.use(did, codes[0]!))
        assert.strictEqual(refused._tag, "WrongCode")
        assert.strictEqual(yield* elsewhere.use(did, theirs.codes[0]!), "recovery")
      })
    )

    check("recovery codes have 50 random bits", (factors) =>
      Effect.gen(function* () {
        const { codes } = yield* confirmed(factors)
        const more = yield* Effect.all(Array.from({ length: 6 }, () => factors.renewRecoveryCodes))
        const texts = [...codes, ...more.flat()]
        assert.lengthOf(texts, 70)
        assert.strictEqual(variedBits(texts, alphabets.crockford), 50)
      })
    )

    check("authenticator secrets have 160 random bits", (factors) =>
      Effect.gen(function* () {
        const begun = yield* Effect.all(Array.from({ length: 64 }, () => factors.begin(did)))
        const texts = begun.map(({ secret }) => secret)
        assert.strictEqual(variedBits(texts, alphabets.base32), 160)
      })
    )

    check("another account's secret can't be decrypted", (factors) =>
      Effect.gen(function* () {
        const { secret } = yield* confirmed(factors)
        yield* TestClock.adjust(minute)
        const other = factors.use(
          "did:plc:bobbbbbbbbbbbbbbbbbbbbbb",
          codeAt(secret, start + minute)
        )
        const exit = yield* Effect.exit(other)
        assert.strictEqual(exit._tag, "Failure")
        assert.strictEqual(yield* factors.use(did, codeAt(secret, start + minute)), "authenticator")
      })
    )

    check(
      "isOwnerToBeNotified is true once a day, for the twelfth rejected code",
      Effect.fnUntraced(function* (factors) {
        const refuse = (times: number) =>
          Effect.replicateEffect(factors.isOwnerToBeNotified, times).pipe(
            Effect.map((answers) =>
              answers.map((is, at) => (is ? at + 1 : 0)).filter((at) => at > 0)
            )
          )
        assert.deepStrictEqual(yield* refuse(30), [12])
        yield* factors.ownerWasNotNotified
        assert.deepStrictEqual(yield* refuse(5), [1])
        yield* TestClock.adjust("23 hours")
        assert.deepStrictEqual(yield* refuse(30), [])
        yield* TestClock.adjust("1 hours")
        assert.deepStrictEqual(yield* refuse(11), [])
        yield* TestClock.adjust("24 hours")
        assert.deepStrictEqual(yield* refuse(13), [12])
      })
    )

    check(
      "a code bills one row, valid or not, and confirming an authenticator thirteen",
      (factors) =>
        Effect.gen(function* () {
          const { secret } = yield* factors.begin(did)
          assert.strictEqual(yield* counted((own) => own.confirm(did, codeAt(secret, start))), 13)
          yield* TestClock.adjust(minute)
          const code = codeAt(secret, start + minute)
          assert.strictEqual(yield* counted((own) => own.use(did, code)), 1)
          assert.strictEqual(yield* counted((own) => Effect.flip(own.use(did, code))), 1)
          assert.strictEqual(yield* counted((own) => own.isOn), 0)
        })
    )
  })
