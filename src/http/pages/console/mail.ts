import * as Effect from "effect/Effect"
import { Config } from "../../../services/host/Config.ts"
import { Mailer } from "../../../services/mail/Mailer.ts"
import { sendTestMail } from "../../mail/adminMail.ts"
import { html } from "../html.ts"
import type { Wrong } from "../parts.ts"
import { frame, inTerminal } from "../text/console.ts"
import { announcements, mail as text } from "../text/consoleHost.ts"
import {
  type ConsoleAction,
  consoleButton,
  type ConsolePage,
  done,
  framed,
  type Outcome
} from "./frame.ts"
import { shown } from "../layout.ts"
import { audienceOf, createAnnouncement } from "../../mail/adminAnnouncements.ts"
import type { Form } from "../browser.ts"
import {
  announceForm,
  announceHint,
  announcementList,
  namesIn,
  previewOf,
  type Typed,
  wrongIn
} from "./announce.ts"
import { noteAct } from "../../CurrentRequest.ts"
import type { Operating } from "./operating.ts"

const page = Effect.fnUntraced(function* (operating: Operating, wrong?: Wrong, typed?: Typed) {
  const { mailer } = yield* Config
  const { delivers } = yield* Mailer
  const { email } = operating.view
  const test =
    email === undefined
      ? html`<p class="hint">${text.noAddress}</p>`
      : html`<p class="hint">${text.testHint(email)}</p>
          ${consoleButton(operating, { action: "mail/test", label: text.send })}`
  const body = html`<h2>${text.how}</h2>
    <p>${text.kinds[mailer.kind]}</p>
    ${
      "from" in mailer &&
      html`<dl class="facts">
        <dt>${text.from}</dt>
        <dd>${mailer.from}</dd>
        ${
          mailer.kind === "http" &&
          html`<dt>${text.provider}</dt>
            <dd>${new URL(mailer.url).host}</dd>`
        }
      </dl>`
    }
    ${
      delivers &&
      html`<h2>${text.test}</h2>
        ${test}
        <p class="hint">${frame.command} ${inTerminal("mail test")}</p>`
    }
    <h2>${announcements.title}</h2>
    ${delivers ? announceForm(operating, wrong, typed) : html`<p class="hint">${announcements.noMail}</p>`}
    ${delivers && announceHint} ${yield* announcementList}`
  return framed(operating, { title: text.title, tab: "mail", body, wrong })
})

/** `/admin/console/mail`: how mail leaves, and a test mail to the operator. */
export const mailPage: ConsolePage = { role: "admin", show: (operating) => page(operating) }

/** Sends a test mail to the operator's own address. */
export const testMail: ConsoleAction = {
  role: "admin",
  page: "mail",
  run: Effect.fn("console.testMail")(function* (operating) {
    yield* noteAct({ act: "/admin/mail/test" })
    return yield* sendTestMail(operating.view.did).pipe(
      Effect.flatMap(({ sent }) =>
        sent
          ? Effect.succeed<Outcome>(done("mail", "mailed"))
          : Effect.map(page(operating, { text: frame.noMail }), shown)
      ),
      Effect.catchTags({
        NoEmailAddress: () => Effect.map(page(operating, { text: text.noAddress }), shown),
        MailNotSent: (failure) =>
          Effect.andThen(
            Effect.logWarning("the test mail was not sent", failure),
            Effect.map(page(operating, { text: text.failed }), shown)
          )
      })
    )
  })
}

const typedIn = (form: Form): Typed => ({
  subject: form.get("subject") ?? "",
  // Browsers send line ends as CRLF.
  text: (form.get("text") ?? "").replaceAll("\r\n", "\n"),
  to: form.get("to") ?? ""
})

/** An act with an announcement that is complete, and whose accounts are here. */
const withAnnouncement =
  (
    run: (
      operating: Operating,
      typed: Typed,
      audience: Effect.Success<ReturnType<typeof audienceOf>>
    ) => ReturnType<ConsoleAction["run"]>
  ): ConsoleAction["run"] =>
  (operating, form) =>
    Effect.gen(function* () {
      yield* noteAct({ act: "/admin/announcements" })
      const typed = typedIn(form)
      const wrong = wrongIn(typed)
      if (wrong !== undefined) return shown(yield* page(operating, wrong, typed))
      return yield* audienceOf(namesIn(typed.to)).pipe(
        Effect.flatMap((audience) => run(operating, typed, audience)),
        Effect.catchTags({
          NoSuchAccount: () => {
            const unknown = { text: announcements.unknownAccount, field: "to" }
            return Effect.map(page(operating, unknown, typed), shown)
          }
        })
      )
    })

/** Shows an announcement as it will be sent. */
export const previewAnnouncement: ConsoleAction = {
  role: "admin",
  page: "mail",
  run: withAnnouncement(
    Effect.fn("console.previewAnnouncement")(function* (operating, typed, audience) {
      const body = yield* previewOf(operating, typed, audience)
      return shown(framed(operating, { title: announcements.previewTitle, tab: "mail", body }))
    })
  )
}

/** Sends an announcement. */
export const sendAnnouncement: ConsoleAction = {
  role: "admin",
  page: "mail",
  run: withAnnouncement(
    Effect.fn("console.announce")(function* (operating, typed, audience) {
      const { delivers } = yield* Mailer
      return yield* createAnnouncement(typed, audience).pipe(
        Effect.as(done("mail", "announced")),
        Effect.catchTag("InvalidRequest", () => {
          const wrong = { text: delivers ? announcements.tooMany : announcements.noMail }
          return Effect.map(page(operating, wrong, typed), shown)
        })
      )
    })
  )
}
