import type {
  ComAtprotoAdminGetAccountInfo as GetAccountInfo,
  ComAtprotoAdminGetAccountInfos as GetAccountInfos,
  ComAtprotoAdminSearchAccounts as SearchAccounts,
  ComAtprotoAdminSendEmail as SendEmail
} from "@atproto/api"
import * as Effect from "effect/Effect"
import type { CallOutput } from "../../services/accounts/AccountCalls.ts"
import { Accounts } from "../../services/accounts/Accounts.ts"
import { Config } from "../../services/host/Config.ts"
import { Directory, type DirectoryEntry, type Invite } from "../../services/accounts/Directory.ts"
import { Mailer } from "../../services/mail/Mailer.ts"
import { NoEmailAddress } from "../../services/mail/MailedCodes.ts"
import { InvalidRequest, NoSuchAccount } from "../../services/failures.ts"
import { noteAct } from "../CurrentRequest.ts"
import { type Call, method } from "../Xrpc.ts"

const time = (millis: number) => new Date(millis).toISOString()

/** An invite code as `com.atproto.server.defs#inviteCode`, with its note and end. */
export const inviteView = ({ expiresAt, ...invite }: Invite) => ({
  ...invite,
  ...(expiresAt === undefined ? {} : { expiresAt: time(expiresAt) }),
  createdAt: time(invite.createdAt),
  uses: invite.uses.map(({ usedBy, usedAt }) => ({ usedBy, usedAt: time(usedAt) }))
})

const admin = { at: "host", authority: { kind: "admin" } } as const
const moderator = { at: "host", authority: { kind: "moderator" } } as const

/** The most accounts in one response. */
const maxAccounts = 100

/** How many account objects one call asks concurrently. */
const atATime = 8

/** The account with this DID or handle. */
export const entryOf = Effect.fnUntraced(function* (didOrHandle: string) {
  const directory = yield* Directory
  const isDid = didOrHandle.startsWith("did:")
  const entry = yield* isDid ? directory.byDid(didOrHandle) : directory.byHandle(didOrHandle)
  return entry ?? (yield* new NoSuchAccount())
})

/** An account from the directory, with the details from its object. */
const viewOf = (entry: DirectoryEntry, standing: Partial<CallOutput<"summary">>) => {
  const { did, handle, email, createdAt, invitesDisabled } = entry
  const { emailConfirmedAt, deactivatedAt, deleteAfter } = standing
  return {
    did,
    handle,
    ...(email === undefined ? {} : { email }),
    indexedAt: new Date(createdAt).toISOString(),
    ...(emailConfirmedAt === undefined ? {} : { emailConfirmedAt }),
    invitesDisabled,
    ...(deactivatedAt === undefined ? {} : { deactivatedAt }),
    ...(deleteAfter === undefined ? {} : { deleteAfter })
  }
}

const askAccount = (did: string) =>
  Effect.flatMap(Accounts, (accounts) => accounts.call(did, "summary"))

/** In a long list, wakes only the objects of inactive accounts. */
const briefView = (entry: DirectoryEntry) =>
  entry.status === "active"
    ? Effect.succeed(viewOf(entry, {}))
    : Effect.map(askAccount(entry.did), (standing) => viewOf(entry, standing))

/** A complete view with invites: the one the account used, and those it may give away. */
const accountView = Effect.fnUntraced(function* (entry: DirectoryEntry) {
  const directory = yield* Directory
  const view = viewOf(entry, yield* askAccount(entry.did))
  const came = entry.invite === undefined ? undefined : yield* directory.invite(entry.invite)
  const invites = yield* directory.invitesOf(entry.did)
  return {
    ...view,
    ...(came === undefined ? {} : { invitedBy: inviteView(came) }),
    invites: invites.map(inviteView)
  }
})

const getAccountInfo = method(
  "com.atproto.admin.getAccountInfo",
  moderator,
  Effect.fnUntraced(function* ({ params }: Call<GetAccountInfo.QueryParams>) {
    const entry = yield* entryOf(params.did)
    yield* noteAct({ subject: entry.did })
    return yield* accountView(entry)
  })
)

const getAccountInfos = method(
  "com.atproto.admin.getAccountInfos",
  moderator,
  Effect.fnUntraced(function* ({ params }: Call<GetAccountInfos.QueryParams>) {
    const dids = [...new Set(params.dids)]
    if (dids.length > maxAccounts) {
      return yield* new InvalidRequest({ message: `At most ${maxAccounts} accounts in one call` })
    }
    const directory = yield* Directory
    // Unknown accounts are omitted.
    const infos = yield* Effect.forEach(
      dids,
      Effect.fnUntraced(function* (did) {
        const entry = yield* directory.byDid(did)
        return entry === undefined ? [] : [yield* accountView(entry)]
      }),
      { concurrency: atATime }
    )
    return { infos: infos.flat() }
  })
)

const searchAccounts = method(
  "com.atproto.admin.searchAccounts",
  admin,
  Effect.fnUntraced(function* ({ params }: Call<SearchAccounts.QueryParams & { limit: number }>) {
    const page = yield* (yield* Directory).list(params)
    const accounts = yield* Effect.forEach(page.accounts, briefView, { concurrency: atATime })
    return { ...(page.cursor === undefined ? {} : { cursor: page.cursor }), accounts }
  })
)

const sendEmail = method(
  "com.atproto.admin.sendEmail",
  moderator,
  Effect.fnUntraced(function* ({ input }: Call<object, SendEmail.InputSchema>) {
    const { did, email } = yield* entryOf(input.recipientDid)
    const { comment: reason, subject: title } = input
    yield* noteAct({
      subject: did,
      ...(reason === undefined ? {} : { reason }),
      ...(title === undefined ? {} : { after: { subject: title } })
    })
    if (email === undefined) return yield* new NoEmailAddress()
    const mailer = yield* Mailer
    const { brand, host } = yield* Config
    const subject = input.subject ?? `A message from ${brand.name ?? host}`
    yield* mailer.send({ to: email, subject, text: input.content, purpose: "admin" })
    return { sent: mailer.delivers }
  })
)

/** The administrator's views of accounts, and email to their owners. */
export const adminAccountMethods = [getAccountInfo, getAccountInfos, searchAccounts, sendEmail]
