import * as Effect from "effect/Effect"
import * as Schema from "effect/Schema"
import { signInCheck } from "../../core/accounts/signInCheck.ts"
import { queryValue } from "../../core/lexicon/params.ts"
import { Accounts } from "../../services/accounts/Accounts.ts"
import { InvalidRequest, NoSuchAccount } from "../../services/failures.ts"
import { Mailer } from "../../services/mail/Mailer.ts"
import { noteAccount, noteAct } from "../CurrentRequest.ts"
import { adminInput, ownAnswer } from "../limits/ownEndpoint.ts"
import { keepsAnAdmin, mayChangeStanding } from "../operators/standing.ts"
import { accountBehind } from "../sessions/signInGate.ts"

/** The most entries in a response. */
const most = 500

/** The account that an operator names: a handle, an email address or a DID. */
export const accountNamed = Effect.fnUntraced(function* (name: string | undefined) {
  const entry = yield* accountBehind(name ?? "")
  if (entry === undefined) return yield* new NoSuchAccount()
  yield* noteAccount(entry.did)
  yield* noteAct({ subject: entry.did })
  return entry
})

const wholeNumber = Effect.fnUntraced(function* (url: URL, name: string) {
  const text = queryValue(url.searchParams, name)
  if (text === undefined) return undefined
  if (/^\d{1,15}$/.test(text)) return Number(text)
  return yield* new InvalidRequest({ message: `${name} must be a whole number` })
})

/**
 * GET `/admin/accounts/history?account=&before=&limit=`: what happened to an account, newest first.
 */
export const accountHistory = Effect.fn("http.accountHistory")(function* (_: Request, url: URL) {
  const limit = (yield* wholeNumber(url, "limit")) ?? 100
  if (limit < 1 || limit > most) {
    return yield* new InvalidRequest({ message: `limit must be from 1 to ${most}` })
  }
  const before = yield* wholeNumber(url, "before")
  const { did, handle } = yield* accountNamed(queryValue(url.searchParams, "account"))
  const page = { limit, ...(before === undefined ? {} : { before }) }
  return ownAnswer({ did, handle, ...(yield* (yield* Accounts).call(did, "history", page)) })
})

/** Whether an account's owner can sign in, and why. */
export const checkSignIn = Effect.fn("care.checkSignIn")(function* (did: string) {
  const { delivers } = yield* Mailer
  const facts = yield* (yield* Accounts).call(did, "signInFacts")
  return { ...signInCheck(facts, { delivers }), facts }
})

/** Suspends an account with a reason that its owner reads; for operators' pages and paths. */
export const suspendAccount = Effect.fn("care.suspend")(function* (did: string, reason: string) {
  yield* noteAct({ subject: did, reason, after: { status: "suspended" } })
  yield* mayChangeStanding(did)
  yield* (yield* Accounts).call(did, "suspend", { reason })
})

/** Restores an account that is suspended or taken down. */
export const restoreAccount = Effect.fn("care.restore")(function* (did: string) {
  yield* noteAct({ subject: did, after: { status: "restored" } })
  yield* mayChangeStanding(did)
  yield* (yield* Accounts).call(did, "restore")
})

/** Asks for an account's deletion, which is held back for three days. */
export const askAccountDeletion = Effect.fn("care.askDeletion")(function* (did: string) {
  yield* noteAct({ subject: did, after: { status: "deletion asked" } })
  yield* keepsAnAdmin(did)
  return yield* (yield* Accounts).call(did, "askDeletion")
})

/** Undoes a deletion that is held back. */
export const keepAccount = Effect.fn("care.keep")(function* (did: string) {
  yield* noteAct({ subject: did, after: { status: "kept" } })
  return yield* (yield* Accounts).call(did, "undoDeletion")
})

const Named = Schema.Struct({ account: Schema.String })
const needed = "account is needed: a handle, an email address or a DID"

/** A path that does one thing with the account in its input. */
const doing =
  <E, R>(act: (did: string) => Effect.Effect<object | void, E, R>) =>
  (request: Request) =>
    Effect.gen(function* () {
      const { account } = yield* adminInput(request, Named, needed)
      const { did, handle } = yield* accountNamed(account)
      return ownAnswer({ did, handle, ...(yield* act(did)) })
    })

/** GET `/admin/accounts/check?account=`: can they sign in? */
export const accountCheck = Effect.fn("http.accountCheck")(function* (_: Request, url: URL) {
  const { did, handle } = yield* accountNamed(queryValue(url.searchParams, "account"))
  return ownAnswer({ did, handle, ...(yield* checkSignIn(did)) })
})

const Suspension = Schema.Struct({ account: Schema.String, reason: Schema.String })

/** POST `/admin/accounts/suspend` */
export const accountSuspend = Effect.fn("http.accountSuspend")(function* (request: Request) {
  const input = yield* adminInput(request, Suspension, "account and reason are needed")
  const { did, handle } = yield* accountNamed(input.account)
  yield* suspendAccount(did, input.reason)
  return ownAnswer({ did, handle, status: "suspended" })
})

/** GET `/admin/accounts/quota?account=`: what an account stores and may store, in bytes. */
export const accountQuota = Effect.fn("http.accountQuota")(function* (_: Request, url: URL) {
  const { did, handle } = yield* accountNamed(queryValue(url.searchParams, "account"))
  return ownAnswer({ did, handle, ...(yield* (yield* Accounts).call(did, "storage")) })
})

/** Sets an account's storage quota; for operators' pages and paths. */
export const setQuota = Effect.fn("care.setQuota")(function* (did: string, bytes: number | null) {
  const accounts = yield* Accounts
  const before = yield* accounts.call(did, "storage")
  yield* noteAct({
    subject: did,
    before: { quota: before.isOwn ? before.quota : null },
    after: { quota: bytes }
  })
  return yield* accounts.call(did, "setQuota", { bytes })
})

const Quota = Schema.Struct({
  account: Schema.String,
  /** 0 for no limit, null for the server's default. */
  bytes: Schema.NullOr(Schema.Int.check(Schema.isGreaterThanOrEqualTo(0)))
})

const neededQuota =
  "account and bytes are needed: a whole number, 0 for no limit, or null for the default"

/** POST `/admin/accounts/quota`: gives an account a quota of its own, or the server's again. */
export const setAccountQuota = Effect.fn("http.setAccountQuota")(function* (request: Request) {
  const { account, bytes } = yield* adminInput(request, Quota, neededQuota)
  const { did, handle } = yield* accountNamed(account)
  return ownAnswer({ did, handle, ...(yield* setQuota(did, bytes)) })
})

/** POST `/admin/accounts/restore` */
export const accountRestore = doing(restoreAccount)

/** POST `/admin/accounts/delete` */
export const accountDelete = doing(askAccountDeletion)

/** POST `/admin/accounts/keep` */
export const accountKeep = doing(keepAccount)
