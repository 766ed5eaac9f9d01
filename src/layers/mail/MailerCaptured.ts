import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import { type Mail, Mailer } from "../../services/mail/Mailer.ts"

/** The mails that would have been sent, oldest first, for tests and the development server. */
export class CapturedMails extends Context.Service<
  CapturedMails,
  {
    readonly all: Effect.Effect<ReadonlyArray<Mail>>
    /** The latest mail to an address, for one purpose if given. */
    last(to: string, purpose?: string): Effect.Effect<Mail | undefined>
  }
>()("nacre/layers/CapturedMails") {}

/** Keeps the newest mails in memory instead of sending them. */
const capture = (limit: number): Context.Context<Mailer | CapturedMails> => {
  const mails: Array<Mail> = []
  return Context.make(
    Mailer,
    Mailer.of({
      delivers: true,
      send: (mail) =>
        Effect.sync(() => {
          mails.push(mail)
          if (mails.length > limit) mails.shift()
        })
    })
  ).pipe(
    Context.add(
      CapturedMails,
      CapturedMails.of({
        all: Effect.sync(() => [...mails]),
        last: (to, purpose) =>
          Effect.sync(() =>
            mails.findLast(
              (mail) => mail.to === to && (purpose === undefined || mail.purpose === purpose)
            )
          )
      })
    )
  )
}

/** A mailer that keeps its last 1,000 mails in memory, available from `CapturedMails`. */
export const layer: Layer.Layer<Mailer | CapturedMails> = Layer.effectContext(
  Effect.sync(() => capture(1000))
)
