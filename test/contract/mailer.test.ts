import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Logger from "effect/Logger"
import * as MailerCaptured from "../../src/layers/MailerCaptured.ts"
import * as MailerNone from "../../src/layers/MailerNone.ts"
import { type Mail, Mailer } from "../../src/services/Mailer.ts"

const mail: Mail = {
  to: "alice@example.com",
  subject: "Your code",
  text: "ABCDE-FGHIJ",
  purpose: "reset_password"
}

/** What every mailer does. */
const mailerContract = (name: string, layer: Layer.Layer<Mailer>) =>
  describe(`Mailer (${name})`, () => {
    it.effect("takes a mail, and keeps its text out of the logs", () => {
      const logged: Array<string> = []
      const logger = Logger.make((entry) => {
        logged.push(JSON.stringify([entry.message, entry.cause]))
      })
      return Effect.gen(function* () {
        yield* (yield* Mailer).send(mail)
        assert.isFalse(logged.some((line) => line.includes("ABCDE")))
      }).pipe(Effect.provide(Layer.merge(layer, Logger.layer([logger]))))
    })
  })

mailerContract("captured", MailerCaptured.layer)
mailerContract("none", MailerNone.layer)

describe("a captured mailer", () => {
  it.effect("shows its mails, oldest first, and the latest to somebody", () =>
    Effect.gen(function* () {
      const mailer = yield* Mailer
      const captured = yield* MailerCaptured.CapturedMails
      assert.isTrue(mailer.delivers)
      const second = { ...mail, text: "second" }
      const other = { ...mail, purpose: "plc_operation" }
      for (const one of [mail, second, other]) yield* mailer.send(one)
      assert.deepStrictEqual(yield* captured.all, [mail, second, other])
      assert.deepStrictEqual(yield* captured.last(mail.to), other)
      assert.deepStrictEqual(yield* captured.last(mail.to, "reset_password"), second)
      assert.isUndefined(yield* captured.last("bob@example.com"))
    }).pipe(Effect.provide(MailerCaptured.layer))
  )

  it.effect("keeps its last thousand mails", () =>
    Effect.gen(function* () {
      const mailer = yield* Mailer
      for (let at = 0; at <= 1000; at += 1) yield* mailer.send({ ...mail, text: `${at}` })
      const all = yield* (yield* MailerCaptured.CapturedMails).all
      assert.strictEqual(all.length, 1000)
      assert.strictEqual(all[0]?.text, "1")
    }).pipe(Effect.provide(MailerCaptured.layer))
  )
})

describe("no mailer", () => {
  it.effect("says that nothing is delivered", () =>
    Effect.gen(function* () {
      assert.isFalse((yield* Mailer).delivers)
    }).pipe(Effect.provide(MailerNone.layer))
  )
})
