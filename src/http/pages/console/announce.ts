import * as Effect from "effect/Effect"
import { Config } from "../../../services/host/Config.ts"
import { type Announcement, Announcements } from "../../../services/mail/Announcements.ts"
import { announcementMail } from "../../../services/mail/mailTexts.ts"
import { type Audience, longestAnnouncement as longest } from "../../mail/adminAnnouncements.ts"
import { momentInWords } from "../account/words.ts"
import { type Html, html } from "../html.ts"
import { fieldIn, type Wrong } from "../parts.ts"
import { frame, inTerminal } from "../text/console.ts"
import { announcements as text } from "../text/consoleHost.ts"
import { consoleForm } from "./frame.ts"
import type { Operating } from "./operating.ts"

/** What was typed into the form. */
export interface Typed {
  readonly subject: string
  readonly text: string
  readonly to: string
}

/** The named accounts: handles or DIDs between commas or spaces. */
export const namesIn = (to: string): ReadonlyArray<string> =>
  to.split(/[\s,]+/).filter((name) => name !== "")

/** Why an announcement can't be sent, by its field. */
export const wrongIn = ({ subject, text: body, to }: Typed): Wrong | undefined => {
  if (subject.trim() === "" || subject.length > longest.subject) {
    return { text: text.badSubject(longest.subject), field: "subject" }
  }
  if (body.trim() === "" || body.length > longest.text) return { text: text.badText(longest.text) }
  return namesIn(to).length > longest.accounts
    ? { text: text.badTo(longest.accounts), field: "to" }
    : undefined
}

/** The form for a new announcement. */
export const announceForm = (operating: Operating, wrong?: Wrong, typed?: Typed): Html =>
  consoleForm(operating, {
    action: "mail/preview",
    content: html`${fieldIn(wrong, {
        name: "subject",
        label: text.subject,
        autocomplete: "off",
        value: typed?.subject,
        maxLength: longest.subject
      })}
      <div class="field">
        <label for="text">${text.text}</label>
        <textarea id="text" name="text" rows="8" maxlength="${longest.text}" required>
${typed?.text}</textarea>
      </div>
      ${fieldIn(wrong, {
        name: "to",
        label: text.to,
        autocomplete: "off",
        value: typed?.to,
        hint: text.toHint,
        optional: true
      })} <button type="submit">${text.preview}</button>`
  })

/** The mail as it will be sent, with the button that sends it. */
export const previewOf = Effect.fn("console.preview")(function* (
  operating: Operating,
  typed: Typed,
  audience: Audience
) {
  const { brand, host, publicUrl } = yield* Config
  const { handle } = operating.view
  const mail = announcementMail(typed.subject, typed.text, {
    server: brand.name ?? host,
    publicUrl,
    handle
  })
  return html`<p>${text.reaches(audience.accounts, audience.withoutAddress)}</p>
    <p><strong>${mail.subject}</strong></p>
    <pre>${mail.text}</pre>
    <p class="hint">${text.previewHint}</p>
    ${consoleForm(operating, {
      action: "mail/announce",
      fields: { ...typed },
      content: html`<button type="submit">${text.send}</button>`
    })}`
})

const progressOf = ({ endedAt, state }: Announcement): string =>
  [
    endedAt === undefined ? text.sending : text.done,
    text.sent(state.sent),
    ...(state.withoutAddress === 0 ? [] : [text.withoutAddress(state.withoutAddress)]),
    ...(state.unconfirmed === 0 ? [] : [text.unconfirmed(state.unconfirmed)]),
    ...(state.failed.length === 0 ? [] : [text.failed(state.failed.length)]),
    ...(state.interrupted.length === 0 ? [] : [text.interrupted(state.interrupted.length)])
  ].join(", ")

/** The last announcements, and how far they are. */
export const announcementList = Effect.gen(function* () {
  const all = yield* (yield* Announcements).list
  return html`${
    all.length === 0
      ? html`<p class="hint">${text.none}</p>`
      : html`<ul class="list">
          ${all.map(
            (one) =>
              html`<li class="row">
                <span class="grow"
                  ><strong>${one.subject}</strong><small>${progressOf(one)}</small
                  ><small
                    >${momentInWords(one.createdAt)},
                    ${one.dids === undefined ? text.everyone : text.some(one.dids.length)}</small
                  ></span
                >
              </li>`
          )}
        </ul>`
  }`
})

/** The command that does the same. */
export const announceHint = html`<p class="hint">
  ${frame.command} ${inTerminal('announce --subject "…" --file notice.txt')}
</p>`
