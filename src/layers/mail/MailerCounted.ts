import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import { Mailer } from "../../services/mail/Mailer.ts"
import { Counters } from "../../services/operators/Counters.ts"

/** A mailer that counts what it sent, in the sums of the caller's host. */
export const counted = <E, R>(inner: Layer.Layer<Mailer, E, R>): Layer.Layer<Mailer, E, R> =>
  Layer.effect(
    Mailer,
    Effect.map(Mailer, (mailer) =>
      Mailer.of({
        delivers: mailer.delivers,
        send: (mail) =>
          Effect.onExit(mailer.send(mail), (exit) =>
            Effect.gen(function* () {
              const counters = yield* Counters
              if (counters === undefined || !mailer.delivers) return
              counters.add(exit._tag === "Success" ? "mail_sent" : "mail_failed")
              yield* Effect.ignore(counters.store)
            })
          )
      })
    )
  ).pipe(Layer.provideMerge(inner))
