import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import { Mailer } from "../../services/mail/Mailer.ts"

/**
 * A host without mail: logs that a mail was due; its code can be read on the dashboard or with the
 * command.
 */
export const layer: Layer.Layer<Mailer> = Layer.succeed(
  Mailer,
  Mailer.of({
    delivers: false,
    // The text contains a code, so it isn't logged.
    send: ({ purpose }) =>
      Effect.logInfo("No mailer is set up; the code is shown in the dashboard").pipe(
        Effect.annotateLogs({ purpose })
      )
  })
)
