import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import { TestClock } from "effect/testing"
import { AccountStore } from "../../src/services/accounts/AccountStore.ts"
import { linkLife, PasskeyLinks } from "../../src/services/factors/PasskeyLinks.ts"
import { SqlStorage } from "../../src/services/host/SqlStorage.ts"
import { alice, type Inside, rowsWritten, type Run } from "../sessions/accountServices.ts"
import { alphabets, variedBits } from "../support/randomBits.ts"

const start = 1_767_225_600_000
const link = { expiresAt: start + linkLife, passwordVersion: "one" }

/** What every PasskeyLinks guarantees. */
export const passkeyLinksContract = (name: string, run: Run<Inside>) =>
  describe(`PasskeyLinks over ${name}`, () => {
    const check = <E>(
      title: string,
      body: (links: PasskeyLinks["Service"]) => Effect.Effect<void, E, Inside>
    ) =>
      it(title, () =>
        run(
          Effect.gen(function* () {
            yield* TestClock.setTime(start)
            yield* (yield* AccountStore).create(alice)
            yield* body(yield* PasskeyLinks)
          })
        )
      )

    check("find returns a link by its secret until it expires, and doesn't use it up", (links) =>
      Effect.gen(function* () {
        const secret = yield* links.make(link)
        assert.match(secret, /^[\w-]{22}$/)
        assert.deepStrictEqual(yield* links.find(secret), link)
        assert.deepStrictEqual(yield* links.find(secret), link)
        assert.isUndefined(yield* links.find(`${secret.slice(0, -1)}x`))
        assert.isUndefined(yield* links.find(""))
        yield* TestClock.adjust(linkLife - 1)
        assert.deepStrictEqual(yield* links.find(secret), link)
        yield* TestClock.adjust(1)
        assert.isUndefined(yield* links.find(secret))
      })
    )

    check("a secret has 128 random bits", (links) =>
      Effect.gen(function* () {
        const texts = yield* Effect.all(Array.from({ length: 64 }, () => links.make(link)))
        assert.strictEqual(variedBits(texts, alphabets.base64url), 128)
      })
    )

    check("a link is used once, and only by its own secret", (links) =>
      Effect.gen(function* () {
        const secret = yield* links.make(link)
        assert.isFalse(links.use("another secret"))
        assert.deepStrictEqual([links.use(secret), links.use(secret)], [true, false])
        assert.isUndefined(yield* links.find(secret))
      })
    )

    check("a new link replaces the old one, and revoke removes it", (links) =>
      Effect.gen(function* () {
        const [first, second] = [yield* links.make(link), yield* links.make(link)]
        assert.notStrictEqual(first, second)
        assert.isUndefined(yield* links.find(first))
        assert.isFalse(links.use(first))
        assert.isDefined(yield* links.find(second))
        links.revoke()
        assert.isUndefined(yield* links.find(second))
      })
    )

    check("the database contains only a hash of the secret", (links) =>
      Effect.gen(function* () {
        const secret = yield* links.make(link)
        const rows = (yield* SqlStorage).exec("SELECT * FROM passkey_link").toArray()
        assert.lengthOf(rows, 1)
        assert.notInclude(JSON.stringify(rows), secret)
      })
    )

    check("a link bills one row to create, replace or use, and none to revoke without one", () =>
      Effect.gen(function* () {
        const counted = (body: (own: PasskeyLinks["Service"]) => Effect.Effect<unknown>) =>
          rowsWritten(Effect.flatMap(PasskeyLinks, body))
        const secrets: Array<string> = []
        const make = counted((own) => Effect.map(own.make(link), (secret) => secrets.push(secret)))
        assert.deepStrictEqual([yield* make, yield* make], [1, 1])
        const use = (own: PasskeyLinks["Service"]) => Effect.sync(() => own.use(secrets[1]!))
        assert.strictEqual(yield* counted(use), 1)
        assert.strictEqual(yield* counted((own) => Effect.sync(() => own.revoke())), 0)
      })
    )
  })
