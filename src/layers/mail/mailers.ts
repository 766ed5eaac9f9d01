import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import { Config } from "../../services/host/Config.ts"
import type { Mailer } from "../../services/mail/Mailer.ts"
import * as MailerCaptured from "./MailerCaptured.ts"
import * as MailerCloudflare from "./MailerCloudflare.ts"
import * as MailerHttp from "./MailerHttp.ts"
import * as MailerNone from "./MailerNone.ts"
import * as outgoing from "../host/outgoing.ts"

/** The mailer that the configuration names; `binding` is that of Cloudflare, where there is one. */
export const layer = (binding?: SendEmail): Layer.Layer<Mailer, never, Config> =>
  Layer.unwrap(
    Effect.map(Config, ({ mailer }): Layer.Layer<Mailer, never, Config> => {
      switch (mailer.kind) {
        case "none":
          return MailerNone.layer
        case "captured":
          return MailerCaptured.layer
        case "http":
          return MailerHttp.layer(mailer).pipe(Layer.provide(outgoing.layer))
        case "cloudflare":
          return MailerCloudflare.layer(binding, mailer.from)
      }
    })
  )
