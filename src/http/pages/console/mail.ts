import * as Effect from "effect/Effect"
import { Config } from "../../../services/host/Config.ts"
import { Mailer } from "../../../services/mail/Mailer.ts"
import { sendTestMail } from "../../mail/adminMail.ts"
import { html } from "../html.ts"
import type { Wrong } from "../parts.ts"
import { frame, inTerminal } from "../text/console.ts"
import { mail as text } from "../text/consoleHost.ts"
import {
  type ConsoleAction,
  consoleButton,
  type ConsolePage,
  done,
  framed,
  shown
} from "./frame.ts"
import { noteAct } from "../../CurrentRequest.ts"
import type { Operating } from "./operating.ts"

const page = Effect.fnUntraced(function* (operating: Operating, wrong?: Wrong) {
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
        ${test}`
    }
    <p class="hint">${frame.command} ${inTerminal("mail test")}</p>`
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
      Effect.as(done("mail", "mailed")),
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
