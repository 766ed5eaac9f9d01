import { assert, describe, it } from "@effect/vitest"
import * as Cause from "effect/Cause"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import { TestConsole } from "effect/testing"
import { BrowserRefused } from "../../src/http/pages/browser.ts"
import { InvalidRequest } from "../../src/services/failures.ts"
import * as ConfigEnv from "../../src/layers/host/ConfigEnv.ts"
import * as Logging from "../../src/layers/host/Logging.ts"
import { readable } from "../../src/layers/host/logLine.ts"
import { DirectoryUnavailable } from "../../src/services/accounts/Directory.ts"
import { OutgoingFailed } from "../../src/services/host/Outgoing.ts"
import { env } from "./world.ts"

/** An effect's log, line by line and as one text. */
const logOf = (effect: Effect.Effect<unknown>) =>
  Effect.gen(function* () {
    yield* effect
    const lines = (yield* TestConsole.logLines).map(String)
    return { text: lines.join("\n"), entries: lines.map((line) => JSON.parse(line)) }
  }).pipe(
    Effect.provide(
      Logging.layer.pipe(
        Layer.provide(Layer.orDie(ConfigEnv.layer({ ...env, LOG_LEVEL: "trace" }))),
        Layer.provideMerge(TestConsole.layer)
      )
    )
  )

const secret = "hunter2-and-more"

describe("a failure in the log", () => {
  it.effect(
    "a logged failure has its name, operation and location, and nothing of its message",
    () =>
      Effect.gen(function* () {
        const inner = new Error(`cannot read ${secret}\n    at ${secret} (file.ts:1:1)`)
        const cause = Cause.fail(new DirectoryUnavailable({ operation: "byEmail", cause: inner }))
        const { text, entries } = yield* logOf(Effect.logError("request failed", cause))
        assert.notInclude(text, secret)
        const [entry] = entries
        assert.strictEqual(entry.message, "request failed")
        const [logged] = entry.cause
        assert.deepInclude(logged, { failure: "DirectoryUnavailable", operation: "byEmail" })
        assert.strictEqual(logged.cause.failure, "Error")
        assert.match(logged.cause.at[0], /logLine\.test\.ts/)
      })
  )

  it.effect("a defect, a thrown value and a part of a message reveal as little", () =>
    Effect.gen(function* () {
      const failures = [
        new SyntaxError(`Unexpected token in ${secret}`),
        new TypeError(`${secret} is not a function`),
        new Error(secret, { cause: { password: secret } }),
        secret,
        { password: secret },
        new InvalidRequest({ message: `Not a DID: ${secret}` }),
        new BrowserRefused({ reason: "csrf", page: `/oauth/authorize?request_uri=${secret}` })
      ]
      for (const failure of failures) {
        const { text } = yield* logOf(
          Effect.all([
            Effect.logError("request failed", Cause.die(failure)),
            Effect.logWarning("request failed", Cause.fail(failure)),
            failure instanceof Error ? Effect.logInfo("refused", failure) : Effect.void,
            Effect.logInfo("refused").pipe(
              Effect.annotateLogs(failure instanceof Error ? { failure } : {})
            )
          ])
        )
        assert.notInclude(text, secret)
        assert.include(text, "request failed")
      }
    })
  )

  it.effect("the platform's own messages are kept, without the values in them", () =>
    Effect.gen(function* () {
      const cause = Cause.fail(
        new OutgoingFailed({
          url: "https://plc.directory/did:plc:abc",
          operation: "connect",
          cause: Object.assign(new Error("fetch failed"), { code: "ECONNREFUSED" })
        })
      )
      const { entries } = yield* logOf(Effect.logError("x", cause))
      const [logged] = entries[0].cause
      assert.deepInclude(logged, { operation: "connect", url: "https://plc.directory/did:plc:abc" })
      assert.deepInclude(logged.cause, { message: "fetch failed", code: "ECONNREFUSED" })
      const d1 = new Error(`D1_TYPE_ERROR: Type 'object' not supported for value '${secret}'`)
      const { text } = yield* logOf(Effect.logError("x", Cause.die(d1)))
      assert.include(text, "D1_TYPE_ERROR: Type")
      assert.notInclude(text, secret)
    })
  )
})

describe("a text in the log", () => {
  const cases: ReadonlyArray<readonly [string, string, string]> = [
    [
      "queries",
      "client http://localhost?redirect_uri=x&scope=y asked",
      "client http://localhost asked"
    ],
    ["request addresses", "urn:ietf:params:oauth:request_uri:req-abc is over", "… is over"],
    ["quoted values", 'the scope "repo:a.b" is not declared', "the scope … is not declared"],
    ["e-mail addresses", "sent to alice@mail.example.com today", "sent to … today"],
    ["tokens", `a ${"eyJhbGciOiJIUzI1NiJ9"}.eyJzdWIiOiJhIn0.abc_d-e here`, "a … here"],
    ["mailed codes", "code ABCDE-FGH23 used", "code … used"],
    ["typed codes", "code abcde-fghij used", "code … used"],
    ["recovery codes", "code 0189x-yz8w1 used", "code … used"],
    ["invites", "invite pds-host-abcde-fgh23 used", "invite pds-host-… used"],
    ["authorization codes", `code cod-${"x_-9".repeat(11)} used`, "code … used"],
    ["codes in paths", "/a/abcd3-fghij and /a/ABCDE-FGHIJ", "/a/… and /a/…"],
    ["codes at the end of a sentence", "It is abcde-fghij.", "It is …."],
    ["app passwords", "password abcd-efgh-2345-mnop used", "password … used"],
    ["IPv4 addresses", "from 203.0.113.9, again", "from …, again"],
    ["IPv6 addresses", "from 2001:db8::1 again", "from … again"]
  ]
  for (const [what, text, expected] of cases) {
    it(`readable removes ${what}`, () => {
      assert.strictEqual(readable(text), expected)
    })
  }

  it("readable keeps names, DIDs, CIDs, keys and our own sentences", () => {
    for (const text of [
      "an account's alarm is put off, and the alarm's work failed",
      "com.atproto.server.createSession",
      "did:web:localhost%3A8787",
      "did:plc:ewvi7nxzyoun6zhxrhs64oiz",
      "blobs/did:web:a.example.com/bafkreihdwdcefgh4dqkjv67uzcmw7ojee6xedzdetojuzjevtenxquvyku",
      "https://pds.example.com/.well-known/did.json",
      "/dev/shm/nacre-tests/host.sqlite, /srv/my-nacre-tests and /srv/data-node-main-copy",
      "did:web:alice-smith.example.com at https://nacre-tests.example.com",
      "3ab853b5-2aa5-4485-bc61-16cb8fc3fff5"
    ]) {
      assert.strictEqual(readable(text), text)
    }
    assert.lengthOf(readable("x".repeat(100_000)), 512)
  })
})
