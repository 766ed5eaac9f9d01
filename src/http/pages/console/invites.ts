import type {
  ComAtprotoAdminGetInviteCodes as GetInviteCodes,
  ComAtprotoServerCreateInviteCodes as CreateInviteCodes,
  ComAtprotoServerDefs
} from "@atproto/api"
import * as Effect from "effect/Effect"
import { inviteCode } from "../../../core/identity/calledName.ts"
import { reaches } from "../../../core/operators/roles.ts"
import { Config } from "../../../services/host/Config.ts"
import { Directory } from "../../../services/accounts/Directory.ts"
import { inviteView } from "../../accounts/adminAccounts.ts"
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
  framed,
  shown
} from "./frame.ts"
import type { Operating } from "./operating.ts"
import { perform } from "./perform.ts"

type Invite = ComAtprotoServerDefs.InviteCode

/** The most in one call of createInviteCodes. */
const most = 500

const stateOf = ({ disabled, uses, available }: Invite): string | undefined =>
  disabled ? text.disabled : uses.length >= available ? text.usedUp : undefined

const row = (operating: Operating, invite: Invite): Html => {
  const { code, uses, available, createdAt, forAccount } = invite
  const state = stateOf(invite)
  const below = [
    text.used(uses.length, available),
    text.createdAt(dayInWords(Date.parse(createdAt))),
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
  typed: { readonly uses?: string; readonly codes?: string } = {}
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
      })} <button type="submit">${text.submit}</button>`
  })

const list = Effect.fnUntraced(function* (
  operating: Operating,
  query: { readonly cursor?: string | undefined },
  wrong?: Wrong,
  typed?: Parameters<typeof createForm>[2]
) {
  const page = yield* perform<GetInviteCodes.OutputSchema>(
    operating,
    "com.atproto.admin.getInviteCodes",
    { params: { limit: "50", cursor: query.cursor } }
  )
  const body = html`<h2>${text.create}</h2>
    ${createForm(operating, wrong, typed)}
    <p class="hint">${frame.command} ${inTerminal("invite create --uses 5")}</p>
    ${
      page.codes.length === 0
        ? html`<p class="hint">${text.none}</p>`
        : html`<ul class="list">
            ${page.codes.map((invite) => row(operating, invite))}
          </ul>`
    }
    ${
      page.cursor !== undefined &&
      html`<a class="button quiet" href="${consolePath("invites", { cursor: page.cursor })}"
        >${text.more}</a
      >`
    }`
  return framed(operating, { title: text.title, tab: "invites", body, wrong })
})

const one = Effect.fnUntraced(function* (operating: Operating, code: string) {
  const directory = yield* Directory
  const found = yield* directory.invite(code)
  if (found === undefined) {
    return framed(operating, {
      title: text.one,
      tab: "invites",
      body: html`<p><a href="${consolePath("invites")}">${text.back}</a></p>`,
      wrong: { text: text.unknown }
    })
  }
  const invite = inviteView(found)
  const { publicUrl } = yield* Config
  const link = `${publicUrl}/account/sign-up?${new URLSearchParams({ invite: code })}`
  const users = yield* Effect.forEach(invite.uses, ({ usedBy, usedAt }) =>
    Effect.map(directory.byDid(usedBy), (entry) => ({
      did: usedBy,
      name: entry?.handle ?? usedBy,
      at: momentInWords(Date.parse(usedAt))
    }))
  )
  const seesAccounts = reaches(operating.role, "moderator")
  const body = html`<p><strong>${code}</strong></p>
    ${
      stateOf(invite) === undefined &&
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
    <p class="hint">${text.used(invite.uses.length, invite.available)}</p>
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

/** `/admin/console/invites`: all codes, or with `code` one of them with its link. */
export const invitesPage: ConsolePage = {
  role: "inviter",
  show: (operating, query) => {
    const code = query.get("code")
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
    const typed = { uses: form.get("uses") ?? "", codes: form.get("codes") ?? "" }
    const [useCount, codeCount] = [numberOf(typed.uses), numberOf(typed.codes)]
    if (useCount === undefined || codeCount === undefined) {
      const field = useCount === undefined ? "uses" : "codes"
      return shown(yield* list(operating, {}, { text: text.badNumber, field }, typed))
    }
    const { codes } = yield* perform<CreateInviteCodes.OutputSchema>(
      operating,
      "com.atproto.server.createInviteCodes",
      { input: { codeCount, useCount } }
    )
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
