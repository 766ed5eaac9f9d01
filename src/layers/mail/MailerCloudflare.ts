import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import { Mailer, MailNotSent } from "../../services/mail/Mailer.ts"

/** Splits `Name <address>` for the binding. */
const senderOf = (from: string): string | { readonly name: string; readonly email: string } => {
  const parts = /^(.+?) <([^<>]+)>$/.exec(from)
  return parts === null ? from : { name: parts[1]!, email: parts[2]! }
}

/** Sends mail with Cloudflare's `send_email` binding. */
export const layer = (binding: SendEmail | undefined, from: string): Layer.Layer<Mailer> =>
  Layer.succeed(
    Mailer,
    Mailer.of({
      delivers: true,
      send: ({ purpose, ...mail }) =>
        Effect.tryPromise({
          try: async () => {
            if (binding === undefined) throw new TypeError("there is no send_email binding MAIL")
            await binding.send({ from: senderOf(from), ...mail })
          },
          catch: (cause) => new MailNotSent({ purpose, cause })
        })
    })
  )
