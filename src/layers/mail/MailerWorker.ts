import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import { type Mail, Mailer, MailNotSent } from "../../services/mail/Mailer.ts"

/** Sends a mail; rejects on failure. */
export type SendMail = (mail: Mail) => Promise<void>

/** Sends mail with a function of the Worker. */
export const layer = (send: SendMail | undefined): Layer.Layer<Mailer> =>
  Layer.succeed(
    Mailer,
    Mailer.of({
      delivers: true,
      send: (mail) =>
        Effect.tryPromise({
          try: async () => {
            if (send === undefined) throw new TypeError("this Worker brings no mailer")
            await send(mail)
          },
          catch: (cause) => new MailNotSent({ purpose: mail.purpose, cause })
        })
    })
  )
