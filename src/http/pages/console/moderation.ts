import type { ComAtprotoAdminGetSubjectStatus as GetSubjectStatus } from "@atproto/api"
import * as Effect from "effect/Effect"
import { soughtSubject } from "../../../core/operators/subjects.ts"
import type { DirectoryEntry } from "../../../services/accounts/Directory.ts"
import { entryOf } from "../../accounts/adminAccounts.ts"
import { noteAct } from "../../CurrentRequest.ts"
import { type Html, html } from "../html.ts"
import { field, type Wrong } from "../parts.ts"
import { frame, inTerminal } from "../text/console.ts"
import { moderation as text } from "../text/consolePeople.ts"
import { closedTo } from "./accountCare.ts"
import {
  type ConsoleAction,
  consoleForm,
  consolePath,
  type ConsolePage,
  done,
  framed,
  lookUpForm
} from "./frame.ts"
import { shown } from "../layout.ts"
import type { Operating } from "./operating.ts"
import { perform } from "./perform.ts"

/** A subject of this server, with its standing. */
interface Subject {
  readonly entry: DirectoryEntry
  /** What the audit log and the form call it. */
  readonly about: string
  readonly blob: string | undefined
  readonly cid: string | undefined
  readonly isDown: boolean
  readonly ref: string | undefined
  /** Why the operator can't change its standing. */
  readonly closed: string | undefined
}

const wrong = (sentence: string): Wrong => ({ text: sentence })

/** Finds a subject, or says what is wrong with it. */
const find = Effect.fnUntraced(function* (
  operating: Operating,
  typed: string,
  blob: string
): Effect.fn.Return<Subject | Wrong, Failures, Needs> {
  const sought = soughtSubject(typed, blob)
  if (sought === undefined) return wrong(text.unreadable)
  const entry = yield* Effect.catchTag(
    entryOf(sought.account),
    "NoSuchAccount",
    () => Effect.undefined
  )
  if (entry === undefined) return wrong(text.notHere)
  const { did } = entry
  const about = sought.path === undefined ? did : `at://${did}/${sought.path}`
  const params =
    sought.blob !== undefined
      ? { did, blob: sought.blob }
      : sought.path === undefined
        ? { did }
        : { uri: about }
  const view = yield* perform<GetSubjectStatus.OutputSchema>(
    operating,
    "com.atproto.admin.getSubjectStatus",
    { params }
  ).pipe(Effect.catchTag("SubjectNotFound", () => Effect.undefined))
  if (view === undefined) return wrong(text.noSuch)
  const { subject, takedown } = view
  return {
    entry,
    about,
    blob: sought.blob,
    cid: "cid" in subject ? String(subject.cid) : undefined,
    isDown: takedown?.applied === true,
    ref: takedown?.ref,
    closed: about === did && sought.blob === undefined ? yield* closedTo(operating, did) : undefined
  }
})

type Needs =
  | Effect.Services<ReturnType<typeof entryOf>>
  | Effect.Services<ReturnType<typeof perform>>
  | Effect.Services<ReturnType<typeof closedTo>>
type Failures = Effect.Error<ReturnType<typeof entryOf>> | Effect.Error<ReturnType<typeof perform>>

const isWrong = (found: Subject | Wrong): found is Wrong => "text" in found

/** The form that takes a subject down, or restores it. */
export const takedownForm = (
  operating: Operating,
  of: {
    readonly about: string
    readonly blob?: string | undefined
    readonly isDown: boolean
    /** The page to return to. */
    readonly back: "account" | "moderation"
  }
): Html =>
  consoleForm(operating, {
    action: of.isDown ? "moderation/restore" : "moderation/take-down",
    fields: { about: of.about, blob: of.blob, back: of.back },
    content: html`${field({
      name: "reason",
      label: text.reason,
      autocomplete: "off",
      hint: of.isDown ? text.restoreReasonHint : text.reasonHint,
      optional: of.isDown,
      maxLength: 300
    })}
    ${
      of.isDown
        ? html`<button type="submit" class="quiet">${text.restore}</button>`
        : html`<button type="submit" class="danger">${text.takeDown}</button>`
    }`
  })

const resultOf = (operating: Operating, subject: Subject): Html => {
  const { entry, about, blob, cid, isDown, ref, closed } = subject
  const isSuspended = blob === undefined && about === entry.did && entry.status === "suspended"
  const kind = blob !== undefined ? text.aBlob : about === entry.did ? text.anAccount : text.record
  return html`<h2>${kind}</h2>
    <dl class="facts">
      <dt>${about === entry.did ? text.handle : text.owner}</dt>
      <dd><a href="${consolePath("account", { did: entry.did })}">${entry.handle}</a></dd>
      ${
        about !== entry.did &&
        html`<dt>${text.record}</dt>
          <dd><code>${about}</code></dd>`
      }
      ${
        cid !== undefined &&
        html`<dt>${text.cid}</dt>
          <dd><code>${cid}</code></dd>`
      }
    </dl>
    <p>
      <span class="tag ${isDown ? "bad" : "good"}"
        >${isDown ? text.down(isSuspended, ref) : text.visible}</span
      >
    </p>
    ${
      closed === undefined
        ? takedownForm(operating, { about, blob, isDown, back: "moderation" })
        : html`<p class="hint">${closed}</p>`
    }
    <p class="hint">
      ${frame.command}
      ${inTerminal(`moderate show ${about}${blob === undefined ? "" : ` --blob ${blob}`}`)}
    </p>`
}

const page = Effect.fnUntraced(function* (operating: Operating, typed: string, blob: string) {
  const found = typed.trim() === "" ? undefined : yield* find(operating, typed, blob)
  const form = html`${field({
      name: "about",
      label: text.about,
      autocomplete: "off",
      value: typed,
      maxLength: 600
    })}
    ${field({
      name: "blob",
      label: text.blob,
      autocomplete: "off",
      value: blob,
      optional: true,
      hint: text.blobHint,
      maxLength: 100
    })} <button type="submit">${text.find}</button>`
  const body = html`<p class="lead">${text.lead}</p>
    ${lookUpForm("moderation", form)}
    ${found !== undefined && !isWrong(found) && resultOf(operating, found)}`
  const mistake = found !== undefined && isWrong(found) ? found : undefined
  return framed(operating, { title: text.title, tab: "moderation", body, wrong: mistake })
})

/** `/admin/console/moderation`: finds an account, record or blob, and takes it down or restores it. */
export const moderationPage: ConsolePage = {
  role: "moderator",
  act: "com.atproto.admin.getSubjectStatus",
  show: (operating, query) =>
    page(
      operating,
      (query.get("about") ?? "").slice(0, 600),
      (query.get("blob") ?? "").slice(0, 100)
    )
}

const changes = (applied: boolean): ConsoleAction => ({
  role: "moderator",
  page: "moderation",
  run: Effect.fn("console.moderate")(function* (operating, form) {
    const [about, blob] = [form.get("about") ?? "", form.get("blob") ?? ""]
    const found = yield* find(operating, about, blob)
    if (isWrong(found)) return shown(yield* page(operating, about, blob))
    const { did } = found.entry
    const isAccount = found.blob === undefined && found.about === did
    if (found.closed !== undefined) {
      return shown(
        framed(operating, {
          title: text.title,
          tab: "moderation",
          body: "",
          wrong: wrong(found.closed)
        })
      )
    }
    const ref = (form.get("reason") ?? "").trim().slice(0, 300)
    const subject = isAccount
      ? { $type: "com.atproto.admin.defs#repoRef", did }
      : found.blob !== undefined
        ? { $type: "com.atproto.admin.defs#repoBlobRef", did, cid: found.blob }
        : { $type: "com.atproto.repo.strongRef", uri: found.about, cid: found.cid ?? "" }
    if (!applied && ref !== "") yield* noteAct({ reason: ref })
    yield* perform(operating, "com.atproto.admin.updateSubjectStatus", {
      input: { subject, takedown: { applied, ...(applied && ref !== "" ? { ref } : {}) } }
    })
    const notice = applied ? "taken-down" : "restored"
    return form.get("back") === "account"
      ? done("account", notice, { did })
      : done("moderation", notice, { about: found.about, blob: found.blob })
  })
})

/** Takes a subject down. */
export const takeDown = changes(true)

/** Restores a subject. */
export const restore = changes(false)
