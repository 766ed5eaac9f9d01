import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Redacted from "effect/Redacted"
import { Mailer, MailNotSent } from "../../services/mail/Mailer.ts"
import { Outgoing } from "../../services/host/Outgoing.ts"

/** The URL, the token and the sender of mails. */
export interface MailHttpOptions {
  readonly url: string
  readonly token: Redacted.Redacted<string>
  readonly from: string
}

/**
 * Sends mail with a provider's HTTP API: one JSON object a mail (`from`, `to`, `subject`, `text`,
 * `html`), as Resend accepts it; a 2xx means success.
 */
export const layer = (options: MailHttpOptions): Layer.Layer<Mailer, never, Outgoing> =>
  Layer.effect(
    Mailer,
    Effect.map(Outgoing, (outgoing) =>
      Mailer.of({
        delivers: true,
        send: ({ to, purpose, ...content }) =>
          outgoing
            .request(options.url, {
              method: "POST",
              headers: {
                authorization: `Bearer ${Redacted.value(options.token)}`,
                "content-type": "application/json"
              },
              body: JSON.stringify({ from: options.from, to: [to], ...content }),
              maxBytes: 64 * 1024,
              timeout: "10 seconds"
            })
            .pipe(
              Effect.mapError((cause) => new MailNotSent({ purpose, cause })),
              Effect.asVoid
            )
      })
    )
  )
