import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import { Mailer } from "../../services/mail/Mailer.ts"

/** A host without mail: it logs that a mail was due, and the code in it is read in the dashboard or the command line. */
export const layer: Layer.Layer<Mailer> = Layer.succeed(
  Mailer,
  Mailer.of({
    delivers: false,
    // The text holds a code: it does not go into logs.
    send: ({ purpose }) =>
      Effect.logInfo("No mailer is set up; the code is shown in the dashboard").pipe(
        Effect.annotateLogs({ purpose })
      )
  })
)
