import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import { TestClock } from "effect/testing"
import * as AccountCodesSqlite from "../../src/layers/mail/AccountCodesSqlite.ts"
import { AccountCodes, codePurposes } from "../../src/services/mail/AccountCodes.ts"
import { AccountStore } from "../../src/services/accounts/AccountStore.ts"
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
/** Lifetime of a code: a quarter of an hour. */
const codeLife = 900_000

/** The result of an attempt: "ok", or the failure's tag. */
const outcome = <E extends { readonly _tag: string }>(attempt: Effect.Effect<void, E>) =>
  Effect.match(attempt, { onSuccess: () => "ok", onFailure: ({ _tag }) => _tag })

/** What every AccountCodes guarantees. */
export const accountCodesContract = (name: string, run: Run<Inside>) =>
  describe(`AccountCodes over ${name}`, () => {
    const check = <E>(
      title: string,
      body: (codes: AccountCodes["Service"]) => Effect.Effect<void, E, Inside>
    ) =>
      it(title, () =>
        run(
          Effect.gen(function* () {
            yield* TestClock.setTime(start)
            yield* (yield* AccountStore).create(alice)
            yield* body(yield* AccountCodes)
          })
        )
      )

    const hidden = { readable: false }

    check("a code works once, however it is typed, and has an expiration", (codes) =>
      Effect.gen(function* () {
        const { code, expiresAt } = yield* codes.make(did, "reset_password", hidden)
        assert.match(code, /^[A-Z2-7]{5}-[A-Z2-7]{5}$/)
        assert.strictEqual(expiresAt, start + codeLife)
        const typed = ` ${code.toLowerCase().replace("-", " ")} `
        yield* codes.check("reset_password", typed)
        yield* codes.use("reset_password", typed)
        assert.strictEqual(yield* outcome(codes.use("reset_password", code)), "CodeInvalid")
      })
    )

    check("a code works for its purpose only, and a new code replaces it", (codes) =>
      Effect.gen(function* () {
        const before = yield* codes.make(did, "confirm_email", hidden)
        const { code } = yield* codes.make(did, "confirm_email", hidden)
        for (const purpose of codePurposes) {
          if (purpose === "confirm_email") continue
          yield* codes.make(did, purpose, hidden)
          assert.strictEqual(yield* outcome(codes.use(purpose, code)), "CodeInvalid")
        }
        assert.strictEqual(yield* outcome(codes.use("confirm_email", before.code)), "CodeInvalid")
        assert.strictEqual(yield* outcome(codes.use("confirm_email", code)), "ok")
      })
    )

    check("an expired code is reported as such, and a wrong one never", (codes) =>
      Effect.gen(function* () {
        const { code } = yield* codes.make(did, "update_email", hidden)
        yield* TestClock.setTime(start + codeLife - 1)
        yield* codes.check("update_email", code)
        yield* TestClock.setTime(start + codeLife)
        assert.strictEqual(yield* outcome(codes.use("update_email", code)), "CodeExpired")
        assert.strictEqual(yield* outcome(codes.use("update_email", "AAAAA-AAAAA")), "CodeInvalid")
      })
    )

    check("the tenth wrong attempt ends a code", (codes) =>
      Effect.gen(function* () {
        const { code } = yield* codes.make(did, "delete_account", hidden)
        const miss = outcome(codes.check("delete_account", "AAAAA-AAAAA"))
        for (let time = 0; time < 9; time++) assert.strictEqual(yield* miss, "CodeInvalid")
        yield* codes.check("delete_account", code)
        assert.strictEqual(yield* miss, "CodeInvalid")
        assert.strictEqual(yield* outcome(codes.check("delete_account", code)), "CodeInvalid")
      })
    )

    check("one of many concurrent uses succeeds", (codes) =>
      Effect.gen(function* () {
        const { code } = yield* codes.make(did, "plc_operation", hidden)
        const uses = Array.from({ length: 8 }, () => outcome(codes.use("plc_operation", code)))
        const outcomes = yield* Effect.all(uses, { concurrency: "unbounded" })
        assert.lengthOf(
          outcomes.filter((one) => one === "ok"),
          1
        )
      })
    )

    check("pending shows readable codes while they are valid", (codes) =>
      Effect.gen(function* () {
        yield* codes.make(did, "confirm_email", hidden)
        const shown = yield* codes.make(did, "reset_password", { readable: true })
        assert.deepStrictEqual(yield* codes.pending(did), [shown])
        yield* TestClock.setTime(start + codeLife)
        assert.deepStrictEqual(yield* codes.pending(did), [])
        const used = yield* codes.make(did, "reset_password", { readable: true })
        yield* codes.use("reset_password", used.code)
        assert.deepStrictEqual(yield* codes.pending(did), [])
      })
    )

    check("revoke ends codes by purpose", (codes) =>
      Effect.gen(function* () {
        const gone = yield* codes.make(did, "confirm_email", hidden)
        const stays = yield* codes.make(did, "delete_account", hidden)
        yield* codes.revoke(["confirm_email", "reset_password"])
        const attempt = codes.use("confirm_email", gone.code)
        assert.strictEqual(yield* outcome(attempt), "CodeInvalid")
        yield* codes.use("delete_account", stays.code)
      })
    )

    check("the database doesn't contain the code", (codes) =>
      Effect.gen(function* () {
        const { code } = yield* codes.make(did, "reset_password", { readable: true })
        const sql = yield* SqlStorage
        const rows = [...sql.exec("SELECT * FROM mailed_code").raw()].flat()
        const texts = rows.map((value) =>
          typeof value === "object" && value !== null
            ? Buffer.from(value as Uint8Array).toString("latin1")
            : String(value)
        )
        assert.isAbove(texts.length, 4)
        for (const text of texts) assert.notInclude(text, code)
      })
    )

    check("a code is invalid under another master key", (codes) =>
      Effect.gen(function* () {
        const { code } = yield* codes.make(did, "reset_password", hidden)
        const elsewhere = yield* Effect.provide(
          AccountCodes,
          Layer.provide(Layer.fresh(AccountCodesSqlite.layer), otherConfigLayer)
        )
        assert.strictEqual(yield* outcome(elsewhere.check("reset_password", code)), "CodeInvalid")
        assert.strictEqual(yield* outcome(codes.check("reset_password", code)), "ok")
      })
    )

    check("codes have 50 random bits", (codes) =>
      Effect.gen(function* () {
        const made = Array.from({ length: 64 }, () => codes.make(did, "update_email", hidden))
        const texts = (yield* Effect.all(made)).map(({ code }) => code)
        assert.strictEqual(variedBits(texts, alphabets.base32), 50)
      })
    )

    check("a code bills one row to create, to miss and to use", () =>
      Effect.gen(function* () {
        const own = <A, E>(body: (codes: AccountCodes["Service"]) => Effect.Effect<A, E>) =>
          rowsWritten(Effect.flatMap(AccountCodes, body))
        let code = ""
        const make = own((codes) =>
          Effect.map(codes.make(did, "confirm_email", hidden), (made) => (code = made.code))
        )
        assert.strictEqual(yield* make, 1)
        assert.strictEqual(
          yield* own((codes) => Effect.ignore(codes.check("confirm_email", "AAAAA-AAAAA"))),
          1
        )
        assert.strictEqual(yield* own((codes) => codes.use("confirm_email", code)), 1)
      })
    )
  })
