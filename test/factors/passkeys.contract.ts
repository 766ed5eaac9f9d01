import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import { TestClock } from "effect/testing"
import { budget } from "../../src/layers/factors/PasskeysSqlite.ts"
import { AccountStore } from "../../src/services/accounts/AccountStore.ts"
import { type CredentialJson, Passkeys } from "../../src/services/factors/Passkeys.ts"
import { SqlStorage } from "../../src/services/host/SqlStorage.ts"
import { alice, type Inside, rowsWritten, type Run } from "../sessions/accountServices.ts"
import { type Algorithm, newAuthenticator, site, verified } from "./authenticator.ts"

const start = 1_767_225_600_000
const challenge = Buffer.alloc(32, 9).toString("base64url")
const ceremony = { challenge, ...site }

const add = (response: CredentialJson, given = "Key") =>
  Effect.flatMap(Passkeys, (passkeys) => passkeys.add({ name: given, response, ...ceremony }))

const reasonOf = <E extends { readonly reason: string }, R>(
  attempt: Effect.Effect<unknown, E, R>
) => Effect.map(Effect.flip(attempt), ({ reason }) => reason)

const twin = () => add(newAuthenticator().create(challenge))

const counted = (body: (own: Passkeys["Service"]) => Effect.Effect<unknown, unknown>) =>
  rowsWritten(Effect.flatMap(Passkeys, (own) => body(own)))

/** What every Passkeys guarantees. */
export const passkeysContract = (name: string, run: Run<Inside>) =>
  describe(`Passkeys over ${name}`, () => {
    const check = <E>(
      title: string,
      body: (passkeys: Passkeys["Service"]) => Effect.Effect<void, E, Inside>
    ) =>
      it(title, () =>
        run(
          Effect.gen(function* () {
            yield* TestClock.setTime(start)
            yield* (yield* AccountStore).create(alice)
            yield* body(yield* Passkeys)
          })
        )
      )

    check(
      "each of several passkeys, of every algorithm, signs in and records its use",
      (passkeys) =>
        Effect.gen(function* () {
          for (const algorithm of ["ES256", "EdDSA", "RS256"] satisfies Array<Algorithm>) {
            const authenticator = newAuthenticator(algorithm, algorithm)
            const added = yield* add(authenticator.create(challenge), algorithm)
            assert.deepStrictEqual(added, {
              id: authenticator.id,
              name: algorithm,
              transports: ["internal", "hybrid"],
              createdAt: start,
              usedAt: undefined
            })
            yield* TestClock.adjust("1 second")
            const used = yield* passkeys.verify(authenticator.get(challenge), ceremony)
            assert.strictEqual(used.id, authenticator.id)
            assert.strictEqual(used.usedAt, used.createdAt + 1000)
            yield* TestClock.setTime(start)
          }
          const listed = yield* passkeys.list
          assert.deepStrictEqual(listed.map((passkey) => passkey.name).toSorted(), [
            "ES256",
            "EdDSA",
            "RS256"
          ])
          assert.isTrue(listed.every(({ usedAt }) => usedAt === start + 1000))
        })
    )

    check("list returns the oldest passkey first", (passkeys) =>
      Effect.gen(function* () {
        for (const seed of ["first", "second", "third"]) {
          yield* add(newAuthenticator("ES256", seed).create(challenge), seed)
          yield* TestClock.adjust("1 second")
        }
        const names = (yield* passkeys.list).map((passkey) => passkey.name)
        assert.deepStrictEqual(names, ["first", "second", "third"])
      })
    )

    check("an invalid result is rejected and adds nothing", (passkeys) =>
      Effect.gen(function* () {
        const authenticator = newAuthenticator()
        assert.strictEqual(
          yield* reasonOf(add(authenticator.create(challenge, { origin: "https://evil.example" }))),
          "another origin"
        )
        assert.strictEqual(yield* reasonOf(add({})), "a malformed answer")
        assert.deepStrictEqual(yield* passkeys.list, [])
        yield* add(authenticator.create(challenge))
        const wrong = authenticator.get(challenge, { rpId: "evil.example" })
        assert.strictEqual(
          yield* reasonOf(passkeys.verify(wrong, ceremony)),
          "a credential of another site"
        )
        const other = newAuthenticator("ES256", "one")
        assert.strictEqual(
          yield* reasonOf(passkeys.verify(other.get(challenge), ceremony)),
          "a wrong signature"
        )
        assert.isUndefined((yield* passkeys.list)[0]?.usedAt)
      })
    )

    check("an unknown or removed credential is rejected", (passkeys) =>
      Effect.gen(function* () {
        const authenticator = newAuthenticator()
        const attempt = Effect.suspend(() =>
          passkeys.verify(authenticator.get(challenge), ceremony)
        )
        assert.strictEqual(yield* reasonOf(attempt), "an unknown credential")
        assert.strictEqual(
          yield* reasonOf(passkeys.verify({ id: 7 }, ceremony)),
          "an unknown credential"
        )
        yield* add(authenticator.create(challenge))
        yield* attempt
        yield* passkeys.remove(authenticator.id)
        yield* passkeys.remove(authenticator.id)
        assert.strictEqual(yield* reasonOf(attempt), "an unknown credential")
      })
    )

    check("a credential id is added once, even concurrently", (passkeys) =>
      Effect.gen(function* () {
        const results = yield* Effect.all([Effect.result(twin()), Effect.result(twin())], {
          concurrency: "unbounded"
        })
        assert.strictEqual(results.filter(({ _tag }) => _tag === "Success").length, 1)
        assert.strictEqual(yield* reasonOf(twin()), "a credential id that is there already")
        assert.strictEqual((yield* passkeys.list).length, 1)
      })
    )

    check("a counter that doesn't increase is rejected, even concurrently", (passkeys) =>
      Effect.gen(function* () {
        const authenticator = newAuthenticator()
        yield* add(authenticator.create(challenge))
        const use = (counter: number) =>
          Effect.suspend(() => passkeys.verify(authenticator.get(challenge, { counter }), ceremony))
        yield* use(0)
        yield* use(0)
        yield* use(5)
        const copied = "a counter that did not rise: the authenticator may have been copied"
        assert.strictEqual(yield* reasonOf(use(5)), copied)
        assert.strictEqual(yield* reasonOf(use(4)), copied)
        assert.strictEqual(yield* reasonOf(use(0)), copied)
        const results = yield* Effect.all([Effect.result(use(6)), Effect.result(use(6))], {
          concurrency: "unbounded"
        })
        assert.strictEqual(results.filter(({ _tag }) => _tag === "Success").length, 1)
      })
    )

    check("a passkey can't change whether it may be copied to other devices", (passkeys) =>
      Effect.gen(function* () {
        const synced = newAuthenticator()
        const flags = verified | 0x08
        yield* add(synced.create(challenge, { flags }))
        yield* passkeys.verify(synced.get(challenge, { flags: flags | 0x10 }), ceremony)
        assert.strictEqual(
          yield* reasonOf(passkeys.verify(synced.get(challenge), ceremony)),
          "another backup eligibility than when it was made"
        )
      })
    )

    check("a passkey has the owner's name, of at most 64 characters", (passkeys) =>
      Effect.gen(function* () {
        const { id } = newAuthenticator()
        const added = yield* add(newAuthenticator().create(challenge), "  ")
        assert.strictEqual(added.name, "Passkey")
        yield* passkeys.rename(id, `  ${"é🔑".repeat(40)} `)
        assert.strictEqual((yield* passkeys.list)[0]?.name, "é🔑".repeat(32))
        yield* passkeys.rename(id, "Phone ")
        yield* passkeys.rename("unknown", "Nothing")
        assert.deepStrictEqual(
          (yield* passkeys.list).map((passkey) => passkey.name),
          ["Phone"]
        )
      })
    )

    check(
      "a passkey bills two rows to add or remove, with the history, and one to use or rename",
      () =>
        Effect.gen(function* () {
          const authenticator = newAuthenticator()
          const response = authenticator.create(challenge)
          assert.strictEqual(
            yield* counted((own) => own.add({ name: "one", response, ...ceremony })),
            2
          )
          assert.strictEqual(
            yield* counted((own) => own.verify(authenticator.get(challenge), ceremony)),
            1
          )
          assert.strictEqual(yield* counted((own) => own.rename(authenticator.id, "two")), 1)
          assert.strictEqual(yield* counted((own) => own.remove(authenticator.id)), 2)
        })
    )

    check("an account has at most a hundred passkeys", (passkeys) =>
      Effect.gen(function* () {
        const sql = yield* SqlStorage
        for (let at = 0; at < budget.passkeys; at++) {
          sql.exec("INSERT INTO passkey VALUES (?, 'n', '{}', 0, 0, '[]', 0, NULL)", `key ${at}`)
        }
        assert.match(yield* reasonOf(twin()), /at most 100/)
        yield* passkeys.remove("key 1")
        yield* twin()
      })
    )
  })
