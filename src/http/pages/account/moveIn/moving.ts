import * as Effect from "effect/Effect"
import * as Schema from "effect/Schema"
import { didMethod } from "../../../../core/identity/did.ts"
import { makeDidDocument } from "../../../../core/identity/didDocument.ts"
import { Accounts } from "../../../../services/accounts/Accounts.ts"
import { blobsToCopy, missingBlobs } from "../../../accounts/moveIn/copy.ts"
import { leadsHere, recommendedHere } from "../../../accounts/moveIn/identity.ts"
import { decoded, type MoveInFailed } from "../../../accounts/moveIn/call.ts"
import { here, Moving } from "../../../accounts/moveIn/remote.ts"
import { type Html, html } from "../../html.ts"
import type { Page } from "../../layout.ts"
import { fieldIn, note, type Wrong } from "../../parts.ts"
import { archiveImport } from "../../text/archiveImport.ts"
import { moveIn, moving as text } from "../../text/moveIn.ts"
import { type AccountPage, accountForm, framed, hrefOf } from "../frame.ts"
import type { Owner } from "../owner.ts"
import { byOAuthButton } from "./byOAuth.ts"
import { wrongAtOld } from "./start.ts"

type StepName = keyof typeof text.steps

const stepNames: ReadonlyArray<StepName> = [
  "records",
  "blobs",
  "preferences",
  "identity",
  "activation"
]

const Status = Schema.Struct({
  indexedRecords: Schema.Int,
  expectedBlobs: Schema.Int,
  importedBlobs: Schema.Int
})

const statusNsid = "com.atproto.server.checkAccountStatus"

/** The owner's move, if there is one. */
export const movingOf = Effect.fnUntraced(function* (owner: Owner) {
  const notes = yield* (yield* Accounts).call(owner.view.did, "moveIn")
  return notes === undefined ? undefined : new Moving(owner.view.did, notes)
})

/** The step that is next; undefined after the last one. */
export const nextStep = Effect.fnUntraced(function* (moving: Moving) {
  const isHere = yield* leadsHere(moving.did)
  if (isHere) return "activation"
  const { rev, hasPreferences } = moving.notes
  if (rev === undefined) return "records"
  if ((yield* blobsToCopy(moving)).length > 0) return "blobs"
  return hasPreferences ? "identity" : "preferences"
})

const submit = (label: string): Html => html`<button type="submit">${label}</button>`

const progressOf = (name: StepName, status: typeof Status.Type): string | undefined => {
  if (name === "records" && status.indexedRecords > 0) return text.records(status.indexedRecords)
  return name === "blobs" && status.expectedBlobs > 0
    ? text.progress(status.importedBlobs, status.expectedBlobs)
    : undefined
}

const stepList = (next: StepName, status: typeof Status.Type): Html => {
  const at = stepNames.indexOf(next)
  return html`<ol class="list">
    ${stepNames.map(
      (name, index) =>
        html`<li class="row">
          <span class="grow"
            ><strong>${text.steps[name]}</strong>${
              progressOf(name, status) !== undefined &&
              html`<small>${progressOf(name, status)}</small>`
            }</span
          >
          ${index < at && html`<span class="tag good">${text.isDone}</span>`}
          ${index === at && html`<span class="tag">${text.next}</span>`}
        </li>`
    )}
  </ol>`
}

const signInForm = (owner: Owner, wrong?: Wrong): Html =>
  html`<p>${text.signInLead}</p>
    ${accountForm(owner, {
      action: "moving/sign-in",
      content: html`${fieldIn(wrong, {
        name: "old",
        label: moveIn.oldPassword,
        type: "password",
        autocomplete: "off",
        hint: moveIn.oldPasswordHint,
        maxLength: 512
      })}
      ${fieldIn(wrong, {
        name: "code",
        label: moveIn.code,
        autocomplete: "one-time-code",
        hint: moveIn.codeHint,
        optional: true,
        maxLength: 64
      })}
      ${submit(text.signIn)} ${byOAuthButton("moving/oauth")}`
    })}`

const identityForm = Effect.fnUntraced(function* (owner: Owner, moving: Moving, wrong?: Wrong) {
  const { did } = moving
  if (didMethod(did) !== "plc") {
    const { alsoKnownAs, services, verificationMethods: keys } = yield* recommendedHere(moving)
    const document = makeDidDocument({ did, alsoKnownAs, keys, services })
    return html`<p>${text.webLead}</p>
      <pre><code>${JSON.stringify(document, null, 2)}</code></pre>
      ${accountForm(owner, { action: "moving/confirm", content: submit(text.continue) })}`
  }
  const ask = html`<button type="submit" class="quiet">${text.sendCode}</button>`
  return html`<p>${text.codeLead}</p>
    ${accountForm(owner, { action: "moving/send-code", content: ask })}
    ${accountForm(owner, {
      action: "moving/confirm",
      content: html`${fieldIn(wrong, {
        name: "code",
        label: text.code,
        autocomplete: "one-time-code",
        hint: text.codeHint,
        maxLength: 64
      })}
      ${submit(text.confirm)}`
    })}`
})

/** How many missing files the page names. */
const mostNamed = 20

/** The files that were set aside, with another try. */
const missingFiles = Effect.fnUntraced(function* (
  owner: Owner,
  moving: Moving,
  { expectedBlobs, importedBlobs }: typeof Status.Type
) {
  const count = expectedBlobs - importedBlobs
  if (count <= 0) return undefined
  const { did, notes } = moving
  const named = (yield* missingBlobs(moving)).slice(0, mostNamed)
  const retry = html`<button type="submit" class="quiet">${text.retry}</button>`
  return html`${note("warn", text.missing(count))}
    <ul class="list">
      ${named.map(
        ({ cid, recordUri }) =>
          html`<li class="row">
            <span class="grow"
              ><a
                href="${notes.from}/xrpc/com.atproto.sync.getBlob?${String(new URLSearchParams({ did, cid }))}"
                ><code>${cid}</code></a
              ><small>${text.usedIn(recordUri.slice(`at://${did}/`.length))}</small></span
            >
          </li>`
      )}
    </ul>
    ${count > named.length && html`<p>${text.more(count - named.length)}</p>`}
    ${accountForm(owner, { action: "moving/retry", content: retry })}`
})

/** What a step says on the page. */
export interface Said {
  readonly wrong?: Wrong
  readonly good?: string
  /** Another page. */
  readonly page?: Page
}

/** The owner without the note that the account isn't active, which the page says itself. */
export const withoutStanding = (owner: Owner): Owner => {
  const { status: _, ...view } = owner.view
  return { ...owner, view }
}

const frameOf = (owner: Owner, body: Html, wrong?: Wrong) =>
  framed(withoutStanding(owner), { title: text.title, tab: "", body, wrong })

const toImport = (owner: Owner): Html =>
  html`<p class="hint">
    ${text.gone} <a href="${hrefOf(owner, "import")}">${archiveImport.title}</a>
  </p>`

const movePage = Effect.fnUntraced(function* (owner: Owner, { wrong, good }: Said) {
  const moving = yield* movingOf(owner)
  if (moving === undefined) {
    const body = owner.view.arriving
      ? html`${signInForm(owner, wrong)} ${toImport(owner)}`
      : html`<p>${text.notMoving}</p>`
    return frameOf(owner, body, wrong)
  }
  const host = new URL(moving.notes.from).host
  const next = yield* nextStep(moving)
  const status = yield* decoded(statusNsid, Status, yield* here(moving, statusNsid))
  const needsSignIn = moving.notes.there === undefined && next !== "activation"
  const form = needsSignIn
    ? signInForm(owner, wrong)
    : next === "identity"
      ? yield* identityForm(owner, moving, wrong)
      : accountForm(owner, {
          action: "moving/step",
          content: submit(next === "records" ? text.begin : text.continue)
        })
  const isCopied = next !== "records" && next !== "blobs"
  return frameOf(
    owner,
    html`<p class="lead">${text.from(host)}</p>
      ${good !== undefined && note("good", good)}
      ${next !== "activation" && html`<p>${text.untilNow}</p>`} ${stepList(next, status)}
      ${isCopied && (yield* missingFiles(owner, moving, status))} ${form} ${toImport(owner)}`,
    wrong
  )
})

/** The page; while a server can't be asked, it says that. */
export const page = (owner: Owner, said: Said = {}) =>
  Effect.catchTag(movePage(owner, said), "MoveInFailed", (failure) => {
    const again = html`<a class="button" href="${hrefOf(owner, "moving")}">${text.continue}</a>`
    return Effect.succeed(frameOf(owner, again, wrongOf(failure, text.aServer)))
  })

/** What the page says about a failed step. */
export const wrongOf = (failure: MoveInFailed, host: string): Wrong => {
  switch (failure.why) {
    case "signed out":
      return { text: text.signedOut }
    case "changed":
      return { text: text.changed }
    case "slow":
      return { text: text.slow(host) }
    case "refused":
      return failure.nsid?.includes("PlcOperation") === true
        ? { text: text.wrongCode, field: "code" }
        : { text: text.refused(host, failure.message) }
    default:
      return wrongAtOld(failure, host)
  }
}

/** `/account/moving`: how far a move to this server is, and its next step. */
export const movingPage: AccountPage = { show: (owner) => page(owner) }
