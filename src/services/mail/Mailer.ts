import * as Context from "effect/Context"
import type * as Effect from "effect/Effect"
import * as Schema from "effect/Schema"

/** A mail to an account's owner. */
export interface Mail {
  readonly to: string
  readonly subject: string
  readonly text: string
  /** The same as HTML, which loads nothing. */
  readonly html?: string
  /**
   * The mail's purpose (`reset_password`, `plc_operation`, `admin` …), for logs, which never
   * contain the text.
   */
  readonly purpose: string
}

/** The mail could not be sent. */
export class MailNotSent extends Schema.TaggedError<MailNotSent>()("MailNotSent", {
  purpose: Schema.String,
  cause: Schema.Defect()
}) {}

/** Sends mail to owners, if this host can. */
export class Mailer extends Context.Service<
  Mailer,
  {
    /** False: `send` delivers nothing, and codes must be read elsewhere (dashboard, command). */
    readonly delivers: boolean
    send(mail: Mail): Effect.Effect<void, MailNotSent>
  }
>()("nacre/services/Mailer") {}
