import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import * as Redacted from "effect/Redacted"
import * as TestClock from "effect/testing/TestClock"
import * as ConfigWorker from "../../../src/layers/host/ConfigWorker.ts"
import { Config } from "../../../src/services/host/Config.ts"

const texts = {
  MASTER_KEY: Buffer.alloc(32, 7).toString("base64url"),
  PLC_ROTATION_KEY: "42".repeat(32),
  ADMIN_PASSWORD: "the administrator's own words",
  RATE_LIMIT_BYPASS_KEY: "the key of a machine that measures",
  MAIL_HTTP_TOKEN: "the token of the provider"
}

const plain = {
  LOG_LEVEL: "none",
  MAILER: "http",
  MAIL_FROM: "pds@example.com",
  MAIL_HTTP_URL: "https://mail.example.com/send"
}

/** A store's secret with a given result and a count of its reads. */
const secret = (answer: () => Promise<string>) => {
  const asked = { times: 0 }
  return {
    asked,
    binding: {
      get: () => {
        asked.times += 1
        return answer()
      }
    }
  }
}

const has = (text: string) => secret(() => Promise.resolve(text)).binding

const reasons = "Secret not found: 1e0f3c"
const lacks = () => Promise.reject(new Error(reasons))

const settings = (env: Record<string, unknown>) =>
  Effect.provide(Config, ConfigWorker.layer({ ...plain, ...env }))

const problems = (env: Record<string, unknown>) =>
  Effect.map(Effect.flip(settings(env)), (failure) => failure.problems)

describe("a Worker's configuration", () => {
  it.effect("each secret may be a variable or in a store", () =>
    Effect.gen(function* () {
      for (const env of [
        texts,
        Object.fromEntries(Object.entries(texts).map(([name, text]) => [name, has(text)])),
        { ...texts, MASTER_KEY: has(texts.MASTER_KEY) }
      ]) {
        const found = yield* settings(env)
        assert.deepStrictEqual(Redacted.value(found.masterKey), new Uint8Array(32).fill(7))
        assert.strictEqual(Redacted.value(found.adminPassword), texts.ADMIN_PASSWORD)
        assert.strictEqual(
          Redacted.value(found.rateLimitBypassKey ?? Redacted.make("")),
          texts.RATE_LIMIT_BYPASS_KEY
        )
        const { mailer } = found
        assert.isTrue(
          mailer.kind === "http" && Redacted.value(mailer.token) === texts.MAIL_HTTP_TOKEN
        )
      }
    })
  )

  it("the configuration is synchronous if no secret is in a store", () => {
    assert.isFalse(ConfigWorker.isWaitedFor(texts))
    assert.isTrue(ConfigWorker.isWaitedFor({ ...texts, MASTER_KEY: has(texts.MASTER_KEY) }))
    assert.strictEqual(Effect.runSync(settings(texts)).isLocal, true)
  })

  it.effect(
    "every missing secret of a store is reported with all other problems, without values",
    () =>
      Effect.gen(function* () {
        const found = yield* problems({
          ...texts,
          MASTER_KEY: secret(lacks).binding,
          PLC_ROTATION_KEY: has("not a key"),
          RATE_LIMIT_BYPASS_KEY: secret(lacks).binding,
          LOG_LEVEL: "loud"
        })
        assert.sameMembers(
          found.map(({ variable }) => variable),
          ["MASTER_KEY", "PLC_ROTATION_KEY", "RATE_LIMIT_BYPASS_KEY", "LOG_LEVEL"]
        )
        const text = JSON.stringify(found)
        assert.include(text, "cannot be had from its Secrets Store")
        for (const value of [...Object.values(texts), "not a key", reasons]) {
          assert.notInclude(text, value)
        }
      })
  )

  it.effect("a store has five seconds to respond", () =>
    Effect.gen(function* () {
      const never = secret(() => new Promise(() => {})).binding
      const fiber = yield* Effect.forkChild(problems({ ...texts, ADMIN_PASSWORD: never }))
      yield* TestClock.adjust("6 seconds")
      const found = yield* Fiber.join(fiber)
      assert.deepStrictEqual(
        found.map(({ variable }) => variable),
        ["ADMIN_PASSWORD"]
      )
    })
  )

  it.effect("the store is asked again after a failure, and never after a success", () =>
    Effect.gen(function* () {
      let stored: string | undefined
      const { asked, binding } = secret(() =>
        stored === undefined ? lacks() : Promise.resolve(stored)
      )
      const env = { ...plain, ...texts, MASTER_KEY: binding }
      const read = Effect.provide(Config, ConfigWorker.layer(env))
      assert.strictEqual((yield* Effect.flip(read))._tag, "Misconfigured")
      stored = "too short"
      assert.strictEqual((yield* Effect.flip(read))._tag, "Misconfigured")
      stored = texts.MASTER_KEY
      yield* read
      assert.strictEqual(asked.times, 3)
      yield* read
      yield* Effect.provide(Config, ConfigWorker.layer(env))
      assert.strictEqual(asked.times, 3)
    })
  )
})
