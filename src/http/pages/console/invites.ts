import * as Effect from "effect/Effect"
import {
  inviteEnd,
  inviteNote,
  inviteState,
  maxInviteNote
} from "../../../core/accounts/invites.ts"
import { inviteCode } from "../../../core/identity/calledName.ts"
import { reaches } from "../../../core/operators/roles.ts"
import { Config } from "../../../services/host/Config.ts"
import { Directory, type Invite } from "../../../services/accounts/Directory.ts"
import { inviteCursor, invitePlace, makeCodes } from "../../accounts/invites.ts"
import { noteAct } from "../../CurrentRequest.ts"
import { qrCode } from "../account/qrCode.ts"
import { dayInWords, momentInWords } from "../account/words.ts"
import { type Html, html } from "../html.ts"
import { copyable, fieldIn, type Wrong } from "../parts.ts"
import { frame, inTerminal } from "../text/console.ts"
import { invites as text } from "../text/consolePeople.ts"
import {
  type ConsoleAction,
  consoleButton,
  consoleForm,
  consolePath,
  type ConsolePage,
  done,
  framed
} from "./frame.ts"
import { shown } from "../layout.ts"
import { treePage } from "./inviteTree.ts"
import type { Operating } from "./operating.ts"
import { perform } from "./perform.ts"

/** The most in one call of createInviteCodes. */
const most = 500

/** A code's state in a word; undefined while it can be used. */
const stateOf = (invite: Invite, now: number): string | undefined => {
  const state = inviteState(invite, now)
  return state === undefined ? undefined : text.states[state]
}

/** How much of a code is used and left, and its end. */
const usesOf = (invite: Invite, now: number): ReadonlyArray<string> => {
  const { uses, available, expiresAt } = invite
  const isUsable = inviteState(invite, now) === undefined
  return [
    text.used(uses.length, available),
    ...(isUsable ? [text.left(available - uses.length)] : []),
    ...(expiresAt === undefined ? [] : [text.expiresAt(momentInWords(expiresAt))])
  ]
}

const row = (operating: Operating, invite: Invite): Html => {
  const { code, createdAt, forAccount, note } = invite
  const state = stateOf(invite, operating.now)
  const below = [
    ...(note === undefined ? [] : [note]),
    ...usesOf(invite, operating.now),
    text.createdAt(dayInWords(createdAt)),
    ...(forAccount === "admin" ? [] : [text.forAccount(forAccount)])
  ].join(", ")
  return html`<li class="row">
    <span class="grow"
      ><strong
        ><a href="${consolePath("invites", { code })}">${code}</a>${
          state !== undefined && html` <span class="tag">${state}</span>`
        }</strong
      ><small>${below}</small></span
    >
    ${
      state === undefined &&
      consoleButton(operating, {
        action: "invites/disable",
        fields: { code },
        label: text.disable,
        name: text.disableCode(code)
      })
    }
  </li>`
}

const createForm = (
  operating: Operating,
  wrong?: Wrong,
  typed: {
    readonly uses?: string
    readonly codes?: string
    readonly note?: string
    readonly expires?: string
  } = {}
): Html =>
  consoleForm(operating, {
    action: "invites/create",
    content: html`${fieldIn(wrong, {
        name: "uses",
        label: text.uses,
        autocomplete: "off",
        numeric: true,
        value: typed.uses ?? "1",
        hint: text.usesHint,
        maxLength: 3
      })}
      ${fieldIn(wrong, {
        name: "codes",
        label: text.codes,
        autocomplete: "off",
        numeric: true,
        value: typed.codes ?? "1",
        maxLength: 3
      })}
      ${fieldIn(wrong, {
        name: "note",
        label: text.note,
        autocomplete: "off",
        value: typed.note,
        hint: text.noteHint,
        optional: true,
        maxLength: maxInviteNote
      })}
      ${fieldIn(wrong, {
        name: "expires",
        label: text.expires,
        type: "date",
        autocomplete: "off",
        value: typed.expires,
        hint: text.expiresHint,
        optional: true
      })} <button type="submit">${text.submit}</button>`
  })

const list = Effect.fnUntraced(function* (
  operating: Operating,
  query: { readonly cursor?: string | undefined },
  wrong?: Wrong,
  typed?: Parameters<typeof createForm>[2]
) {
  const after = query.cursor === undefined ? undefined : yield* invitePlace(query.cursor)
  const page = yield* (yield* Directory).listInvites({
    order: "recent",
    limit: 50,
    ...(after === undefined ? {} : { after })
  })
  const body = html`<h2>${text.create}</h2>
    ${createForm(operating, wrong, typed)}
    <p class="hint">
      ${frame.command} ${inTerminal('invite create --uses 5 --note "Family" --expires 7d')}
    </p>
    <p><a href="${consolePath("invites", { tree: "all" })}">${text.tree}</a></p>
    ${
      page.invites.length === 0
        ? html`<p class="hint">${text.none}</p>`
        : html`<ul class="list">
            ${page.invites.map((invite) => row(operating, invite))}
          </ul>`
    }
    ${
      page.next !== undefined &&
      html`<a
        class="button quiet"
        href="${consolePath("invites", { cursor: inviteCursor(page.next) })}"
        >${text.more}</a
      >`
    }`
  return framed(operating, { title: text.title, tab: "invites", body, wrong })
})

const one = Effect.fnUntraced(function* (operating: Operating, code: string) {
  const directory = yield* Directory
  const invite = yield* directory.invite(code)
  if (invite === undefined) {
    return framed(operating, {
      title: text.one,
      tab: "invites",
      body: html`<p><a href="${consolePath("invites")}">${text.back}</a></p>`,
      wrong: { text: text.unknown }
    })
  }
  const { publicUrl } = yield* Config
  const link = `${publicUrl}/account/sign-up?${new URLSearchParams({ invite: code })}`
  const users = yield* Effect.forEach(invite.uses, ({ usedBy, usedAt }) =>
    Effect.map(directory.byDid(usedBy), (entry) => ({
      did: usedBy,
      name: entry?.handle ?? usedBy,
      at: momentInWords(usedAt)
    }))
  )
  const seesAccounts = reaches(operating.role, "moderator")
  const state = stateOf(invite, operating.now)
  const body = html`<p>
      <strong>${code}</strong> ${state !== undefined && html`<span class="tag">${state}</span>`}
    </p>
    ${invite.note !== undefined && html`<p>${invite.note}</p>`}
    ${
      state === undefined &&
      html`<h2>${text.link}</h2>
        ${copyable(link)} ${qrCode(link, text.qr)}
        <p class="hint">${text.linkHint}</p>
        ${consoleButton(operating, {
          action: "invites/disable",
          fields: { code },
          label: text.disable,
          danger: true
        })}`
    }
    <h2>${text.usedBy}</h2>
    <p class="hint">${usesOf(invite, operating.now).join(", ")}</p>
    ${
      users.length === 0
        ? html`<p class="hint">${text.unused}</p>`
        : html`<ul class="list">
            ${users.map(
              ({ did, name, at }) =>
                html`<li class="row">
                  <span class="grow"
                    ><strong
                      >${seesAccounts ? html`<a href="${consolePath("account", { did })}">${name}</a>` : name}</strong
                    ><small>${at}</small></span
                  >
                </li>`
            )}
          </ul>`
    }
    <p><a href="${consolePath("invites")}">${text.back}</a></p>`
  return framed(operating, { title: text.one, tab: "invites", body })
})

/** `/admin/console/invites`: all codes, with `code` one of them with its link, with `tree` who invited whom. */
export const invitesPage: ConsolePage = {
  role: "inviter",
  show: (operating, query) => {
    const code = query.get("code")
    if (query.has("tree")) return treePage(operating)
    return code === null
      ? list(operating, { cursor: query.get("cursor") ?? undefined })
      : one(operating, inviteCode(code))
  }
}

const numberOf = (text = ""): number | undefined =>
  /^\d{1,3}$/.test(text) && Number(text) >= 1 && Number(text) <= most ? Number(text) : undefined

/** Creates codes; a single one is shown with its link. */
export const createInvites: ConsoleAction = {
  role: "inviter",
  page: "invites",
  run: Effect.fn("console.createInvites")(function* (operating, form) {
    const [uses = "", count = "", typedNote = "", expires = ""] = [
      form.get("uses"),
      form.get("codes"),
      form.get("note"),
      form.get("expires")
    ]
    const typed = { uses, codes: count, note: typedNote, expires }
    const again = (field: string, error: string) =>
      Effect.map(list(operating, {}, { text: error, field }, typed), shown)
    const [useCount, codeCount] = [numberOf(typed.uses), numberOf(typed.codes)]
    if (useCount === undefined || codeCount === undefined) {
      return yield* again(useCount === undefined ? "uses" : "codes", text.badNumber)
    }
    const note = inviteNote(typedNote)
    if (note !== undefined && note.length > maxInviteNote) {
      return yield* again("note", text.badNote(maxInviteNote))
    }
    const expiresAt = expires === "" ? undefined : inviteEnd(expires, operating.now)
    if (expires !== "" && expiresAt === undefined) return yield* again("expires", text.badDate)
    yield* noteAct({ act: "/admin/invites" })
    const codes = yield* makeCodes(["admin"], codeCount, useCount, { note, expiresAt })
    const made = codes.flatMap((each) => each.codes)
    const [code] = made
    return {
      kind: "done",
      to: consolePath("invites", made.length === 1 && code !== undefined ? { code } : {})
    }
  })
}

/** Disables a code. */
export const disableInvite: ConsoleAction = {
  role: "inviter",
  page: "invites",
  run: Effect.fn("console.disableInvite")(function* (operating, form) {
    const codes = [form.get("code") ?? ""]
    yield* perform(operating, "com.atproto.admin.disableInviteCodes", { input: { codes } })
    return done("invites", "invite-disabled")
  })
}
