import type {
  ComAtprotoAdminDisableAccountInvites as DisableAccountInvites,
  ComAtprotoAdminDisableInviteCodes as DisableInviteCodes,
  ComAtprotoAdminEnableAccountInvites as EnableAccountInvites,
  ComAtprotoAdminGetInviteCodes as GetInviteCodes,
  ComAtprotoServerCreateInviteCode as CreateInviteCode,
  ComAtprotoServerCreateInviteCodes as CreateInviteCodes,
  ComAtprotoServerGetAccountInviteCodes as GetAccountInviteCodes
} from "@atproto/api"
import * as Clock from "effect/Clock"
import * as Effect from "effect/Effect"
import { inviteState } from "../../core/accounts/invites.ts"
import { inviteCode } from "../../core/identity/calledName.ts"
import { Directory, type InvitePlace } from "../../services/accounts/Directory.ts"
import { InvalidRequest } from "../../services/failures.ts"
import { CurrentRequest, noteAct } from "../CurrentRequest.ts"
import { type Call, method } from "../Xrpc.ts"
import { entryOf, inviteView } from "./adminAccounts.ts"
import { only, owner } from "./readableAccount.ts"
import { Config } from "../../services/host/Config.ts"

const moderator = { at: "host", authority: { kind: "moderator" } } as const
const inviting = { at: "host", authority: { kind: "moderator", role: "inviter" } } as const
const invites = { kind: "admin", role: "inviter" } as const

/** The cursor of a place in the listing. */
export const inviteCursor = ({ rank, code }: InvitePlace): string => `${rank}:${code}`

/** The place of a cursor. */
export const invitePlace = Effect.fnUntraced(function* (cursor: string) {
  const parts = /^(\d{1,15}):(.+)$/.exec(cursor)
  if (parts === null) return yield* new InvalidRequest({ message: "Malformed cursor" })
  return { rank: Number(parts[1]), code: parts[2]! }
})

const getInviteCodes = method(
  "com.atproto.admin.getInviteCodes",
  inviting,
  Effect.fnUntraced(function* ({ params }: Call<GetInviteCodes.QueryParams & { limit: number }>) {
    const { limit, cursor } = params
    const sort: string = params.sort ?? "recent"
    if (sort !== "recent" && sort !== "usage") {
      return yield* new InvalidRequest({ message: `unknown sort method: ${sort}` })
    }
    const place = cursor === undefined ? {} : { after: yield* invitePlace(cursor) }
    const page = yield* (yield* Directory).listInvites({ order: sort, limit, ...place })
    const next = page.next === undefined ? {} : { cursor: inviteCursor(page.next) }
    return { ...next, codes: page.invites.map(inviteView) }
  })
)

const disableInviteCodes = method(
  "com.atproto.admin.disableInviteCodes",
  inviting,
  Effect.fnUntraced(function* ({ input }: Call<object, DisableInviteCodes.InputSchema>) {
    const { accounts, codes } = input
    if (accounts?.includes("admin") === true) {
      return yield* new InvalidRequest({ message: "cannot disable admin invite codes" })
    }
    yield* noteAct({
      ...(accounts?.length === 1 ? { subject: accounts[0]! } : {}),
      after: {
        disabled: true,
        ...(codes === undefined ? {} : { codes: codes.join(" ") }),
        ...(accounts === undefined ? {} : { accounts: accounts.join(" ") })
      }
    })
    yield* (yield* Directory).disableInvites({
      ...input,
      ...(codes && { codes: codes.map(inviteCode) })
    })
  })
)

const setInvitesDisabled = Effect.fnUntraced(function* (account: string, disabled: boolean) {
  const { did, invitesDisabled } = yield* entryOf(account)
  yield* noteAct({
    subject: did,
    before: { invitesDisabled },
    after: { invitesDisabled: disabled }
  })
  yield* (yield* Directory).setInvitesDisabled(did, disabled)
})

const disableAccountInvites = method(
  "com.atproto.admin.disableAccountInvites",
  moderator,
  ({ input }: Call<object, DisableAccountInvites.InputSchema>) =>
    setInvitesDisabled(input.account, true)
)

const enableAccountInvites = method(
  "com.atproto.admin.enableAccountInvites",
  moderator,
  ({ input }: Call<object, EnableAccountInvites.InputSchema>) =>
    setInvitesDisabled(input.account, false)
)

/**
 * com.atproto.server.getAccountInviteCodes: the directory has the codes, the object authenticates
 * the caller.
 */
const getAccountInviteCodes = method(
  "com.atproto.server.getAccountInviteCodes",
  { at: "account", authority: owner },
  Effect.fnUntraced(function* ({ caller, params }: Call<GetAccountInviteCodes.QueryParams>) {
    const { did } = yield* only(caller, "session")
    const invites = yield* (yield* Directory).invitesOf(did)
    const now = yield* Clock.currentTimeMillis
    const shown = invites.filter((invite) => {
      const state = inviteState(invite, now)
      return state === undefined || (state === "used up" && params.includeUsed !== false)
    })
    // Notes are for operators.
    return { codes: shown.map((invite) => ({ ...inviteView(invite), note: undefined })) }
  })
)

/** The most codes that one call creates. */
const maxCodes = 500

const alphabet = "abcdefghijklmnopqrstuvwxyz234567"

/** Ten random letters of base32: `xxxxx-xxxxx`. */
const randomToken = (): string => {
  const letters = Array.from(
    crypto.getRandomValues(new Uint8Array(10)),
    (byte) => alphabet[byte & 31]
  ).join("")
  return `${letters.slice(0, 5)}-${letters.slice(5)}`
}

/**
 * Creates codes for accounts: the hostname, so a code shows where it belongs, and a random token.
 */
export const makeCodes = Effect.fnUntraced(function* (
  forAccounts: ReadonlyArray<string>,
  count: number,
  available: number,
  terms: { readonly note?: string | undefined; readonly expiresAt?: number | undefined } = {}
) {
  if (forAccounts.length * count > maxCodes || count < 1 || available < 1) {
    return yield* new InvalidRequest({
      message: `Between 1 and ${maxCodes} codes of at least one use can be made at once`
    })
  }
  const { publicUrl } = yield* Config
  const host = new URL(publicUrl).hostname.replaceAll(".", "-")
  const made = yield* Effect.sync(() =>
    forAccounts.map((account) => ({
      account,
      codes: Array.from({ length: count }, () => `${host}-${randomToken()}`)
    }))
  )
  const directory = yield* Directory
  const codes = made.flatMap(({ account, codes }) =>
    codes.map((code) => ({ code, forAccount: account }))
  )
  const { operator = "password" } = yield* CurrentRequest
  const createdBy = operator === "password" ? "admin" : operator
  yield* noteAct({
    ...(forAccounts.length === 1 ? { subject: forAccounts[0]! } : {}),
    after: {
      codes: codes.map(({ code }) => code).join(" "),
      count: codes.length,
      uses: available,
      ...(terms.note === undefined ? {} : { note: terms.note }),
      ...(terms.expiresAt === undefined
        ? {}
        : { expiresAt: new Date(terms.expiresAt).toISOString() })
    }
  })
  yield* directory.createInvites({ codes, available, createdBy, ...terms })
  return made
})

const createInviteCode = method(
  "com.atproto.server.createInviteCode",
  { at: "host", authority: invites },
  Effect.fnUntraced(function* ({ input }: Call<object, CreateInviteCode.InputSchema>) {
    const { useCount, forAccount = "admin" } = input
    const [made] = yield* makeCodes([forAccount], 1, useCount)
    return { code: made?.codes[0] ?? "" }
  })
)

const createInviteCodes = method(
  "com.atproto.server.createInviteCodes",
  { at: "host", authority: invites },
  Effect.fnUntraced(function* ({ input }: Call<object, CreateInviteCodes.InputSchema>) {
    const { codeCount, useCount, forAccounts = ["admin"] } = input
    return { codes: yield* makeCodes(forAccounts, codeCount, useCount) }
  })
)

/** Invite codes: the administrator creates and disables them, accounts list their own. */
export const inviteMethods = [
  getInviteCodes,
  disableInviteCodes,
  disableAccountInvites,
  enableAccountInvites,
  getAccountInviteCodes,
  createInviteCode,
  createInviteCodes
]
