import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import { Config } from "../../services/host/Config.ts"
import type { Mailer } from "../../services/mail/Mailer.ts"
import * as MailerCaptured from "./MailerCaptured.ts"
import * as MailerCloudflare from "./MailerCloudflare.ts"
import * as MailerHttp from "./MailerHttp.ts"
import * as MailerNone from "./MailerNone.ts"
import * as MailerWorker from "./MailerWorker.ts"
import * as outgoing from "../host/outgoing.ts"

/** The configured mailer: Cloudflare's binding or the Worker's own function. */
export const layer = (
  binding?: SendEmail,
  own?: MailerWorker.SendMail
): Layer.Layer<Mailer, never, Config> =>
  Layer.unwrap(
    Effect.map(Config, ({ mailer }): Layer.Layer<Mailer, never, Config> => {
      switch (mailer.kind) {
        case "none":
          return MailerNone.layer
        case "captured":
          return MailerCaptured.layer
        case "worker":
          return MailerWorker.layer(own)
        case "http":
          return MailerHttp.layer(mailer).pipe(Layer.provide(outgoing.layer))
        case "cloudflare":
          return MailerCloudflare.layer(binding, mailer.from)
      }
    })
  )
