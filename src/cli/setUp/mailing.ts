import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import * as Redacted from "effect/Redacted"
import { Failed } from "../failure.ts"
import { ask, askSecret, canAsk, choose } from "../prompts.ts"
import { secretVariable } from "../session.ts"
import type { Audience } from "./audience.ts"
import type { Environment } from "../host/environment.ts"

/** The ways in which a deployed server sends mail. */
export const mailWays = ["none", "http", "cloudflare"] as const

/** One of them. */
export type MailWay = (typeof mailWays)[number]

/** The mail settings of a server. */
export interface Mailing {
  readonly vars: Readonly<Record<string, string>>
  /** Whether the Worker needs Cloudflare's binding for mail. */
  readonly needsBinding: boolean
  /** The provider's token, for the copy of the secrets. */
  readonly token: Redacted.Redacted | undefined
}

const none: Mailing = { vars: {}, needsBinding: false, token: undefined }

const senderFault = (text: string): string | undefined =>
  /^(?:[^<>]*<[^\s@<>]+@[^\s@<>]+\.[^\s@<>]+>|[^\s@<>]+@[^\s@<>]+\.[^\s@<>]+)$/.test(text)
    ? undefined
    : "Enter an address, such as pds@example.com, or Our PDS <pds@example.com>"

const urlFault = (text: string): string | undefined =>
  URL.parse(text)?.protocol === "https:" ? undefined : "Enter an https address"

/** A flag's value or an answer, checked. */
const textOf = Effect.fnUntraced(function* (
  given: Option.Option<string>,
  question: Parameters<typeof ask>[0] & { readonly check: (text: string) => string | undefined }
) {
  if (Option.isNone(given)) return yield* ask(question)
  const fault = question.check(given.value)
  if (fault === undefined) return given.value
  return yield* new Failed({ message: `${given.value} isn't valid. ${fault}` })
})

const wayOf = Effect.fnUntraced(function* (given: Option.Option<MailWay>, audience: Audience) {
  if (Option.isSome(given)) return given.value
  if (!(yield* canAsk)) return "none"
  return yield* choose<MailWay>({
    message:
      audience === "me"
        ? "Should the server send email? Without it, you read codes on your account's page"
        : "Should the server send email? Without it, you hand out password reset codes yourself",
    otherwise: "--mail none, --mail http or --mail cloudflare",
    choices: [
      { title: "No, or later", value: "none" },
      { title: "Through a provider's HTTP API, such as Resend", value: "http" },
      { title: "Through Cloudflare Email Sending", value: "cloudflare" }
    ]
  })
})

/** The mail settings; doesn't ask for those that the configuration already has. */
export const mailingOf = Effect.fnUntraced(function* (
  given: {
    readonly mail: Option.Option<MailWay>
    readonly from: Option.Option<string>
    readonly url: Option.Option<string>
  },
  audience: Audience,
  { section }: Environment
): Effect.fn.Return<
  Mailing,
  Effect.Error<ReturnType<typeof wayOf>> | Effect.Error<ReturnType<typeof secretVariable>>,
  Effect.Services<ReturnType<typeof wayOf>> | Effect.Services<ReturnType<typeof secretVariable>>
> {
  if (section.vars?.["MAILER"] !== undefined && Option.isNone(given.mail)) return none
  const way = yield* wayOf(given.mail, audience)
  if (way === "none") return none
  const from = yield* textOf(given.from, {
    message: "Sender of its mails, such as pds@example.com",
    otherwise: "--mail-from pds@example.com",
    check: senderFault
  })
  const vars = { MAILER: way, MAIL_FROM: from }
  if (way === "cloudflare") return { vars, needsBinding: true, token: undefined }
  const url = yield* textOf(given.url, {
    message: "Address of the provider's API",
    otherwise: "--mail-url https://api.resend.com/emails",
    initial: "https://api.resend.com/emails",
    check: urlFault
  })
  const token =
    (yield* secretVariable("MAIL_HTTP_TOKEN")) ??
    (yield* askSecret({ message: "The provider's token", otherwise: "MAIL_HTTP_TOKEN=…" }))
  return { vars: { ...vars, MAIL_HTTP_URL: url }, needsBinding: false, token }
})
