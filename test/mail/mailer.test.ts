import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Logger from "effect/Logger"
import * as Redacted from "effect/Redacted"
import * as MailerCaptured from "../../src/layers/mail/MailerCaptured.ts"
import * as MailerCloudflare from "../../src/layers/mail/MailerCloudflare.ts"
import * as MailerHttp from "../../src/layers/mail/MailerHttp.ts"
import * as MailerNone from "../../src/layers/mail/MailerNone.ts"
import { type Mail, Mailer } from "../../src/services/mail/Mailer.ts"
import { Outgoing, OutgoingFailed, type OutgoingRequest } from "../../src/services/host/Outgoing.ts"

const mail: Mail = {
  to: "alice@example.com",
  subject: "Your code",
  text: "ABCDE-FGHIJ",
  purpose: "reset_password"
}

/** What every mailer guarantees. */
const mailerContract = (name: string, layer: Layer.Layer<Mailer>) =>
  describe(`Mailer (${name})`, () => {
    it.effect("send succeeds and keeps the text out of the logs", () => {
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

const from = "Our PDS <pds@example.com>"

/** A binding that accepts every mail, or none. */
const bindingOf = (sent: Array<unknown>, fails = false): SendEmail => ({
  send: async (message: unknown) => {
    if (fails) throw new Error("over the quota")
    sent.push(message)
    return { messageId: "1" }
  }
})

mailerContract("cloudflare", MailerCloudflare.layer(bindingOf([]), from))

const url = "https://mail.example.com/send"

/** A provider that answers each request with a status. */
const provider = (asked: Array<{ url: string } & OutgoingRequest>, status: number) =>
  MailerHttp.layer({ url, token: Redacted.make("the provider's token"), from }).pipe(
    Layer.provide(
      Layer.succeed(
        Outgoing,
        Outgoing.of({
          request: (url, request) => {
            asked.push({ url, ...request })
            return status === 200
              ? Effect.succeed({ url, status, headers: new Headers(), body: new Uint8Array() })
              : Effect.fail(new OutgoingFailed({ url, operation: "status", status }))
          },
          open: () => Effect.die("a mail is no stream"),
          openNow: () => Promise.reject(new Error("a mail is no stream"))
        })
      )
    )
  )

mailerContract("http", provider([], 200))

const failing = (layer: Layer.Layer<Mailer>) =>
  Effect.flatMap(Mailer, (mailer) => Effect.flip(mailer.send(mail))).pipe(Effect.provide(layer))

describe("a mailer over HTTP", () => {
  it.effect("the HTTP mailer sends JSON with the token", () =>
    Effect.gen(function* () {
      const asked: Array<{ url: string } & OutgoingRequest> = []
      const layer = provider(asked, 200)
      yield* Effect.provide(
        Effect.flatMap(Mailer, (mailer) => mailer.send(mail)),
        layer
      )
      assert.lengthOf(asked, 1)
      const [{ method, headers, body, url: to }] = asked as [(typeof asked)[0]]
      assert.deepStrictEqual([to, method], [url, "POST"])
      assert.strictEqual(headers?.["authorization"], "Bearer the provider's token")
      const { subject, text } = mail
      assert.deepStrictEqual(JSON.parse(String(body)), { from, to: [mail.to], subject, text })
    })
  )

  it.effect("the HTTP mailer reports a failure without the text", () =>
    Effect.gen(function* () {
      const failure = yield* failing(provider([], 500))
      assert.strictEqual(failure._tag, "MailNotSent")
      assert.notInclude(JSON.stringify(failure), "ABCDE")
    })
  )
})

describe("a mailer with Cloudflare's binding", () => {
  it.effect("the binding gets sender, recipient, subject and text", () =>
    Effect.gen(function* () {
      const sent: Array<unknown> = []
      for (const sender of [from, "pds@example.com"]) {
        const layer = MailerCloudflare.layer(bindingOf(sent), sender)
        yield* Effect.provide(
          Effect.flatMap(Mailer, (mailer) => mailer.send(mail)),
          layer
        )
      }
      const { to, subject, text } = mail
      assert.deepStrictEqual(sent, [
        { from: { name: "Our PDS", email: "pds@example.com" }, to, subject, text },
        { from: "pds@example.com", to, subject, text }
      ])
    })
  )

  it.effect("a failing or missing binding is reported", () =>
    Effect.gen(function* () {
      for (const binding of [bindingOf([], true), undefined]) {
        const failure = yield* failing(MailerCloudflare.layer(binding, from))
        assert.strictEqual(failure._tag, "MailNotSent")
      }
    })
  )
})

describe("a captured mailer", () => {
  it.effect(
    "the captured mailer returns its mails, oldest first, and the latest to an address",
    () =>
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

  it.effect("the captured mailer keeps its last thousand mails", () =>
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
  it.effect("a host without mail reports that nothing is delivered", () =>
    Effect.gen(function* () {
      assert.isFalse((yield* Mailer).delivers)
    }).pipe(Effect.provide(MailerNone.layer))
  )
})
