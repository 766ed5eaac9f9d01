import * as Effect from "effect/Effect"
import { queryValue } from "../../core/lexicon/params.ts"
import { Accounts } from "../../services/accounts/Accounts.ts"
import { InvalidRequest, NoSuchAccount } from "../../services/failures.ts"
import { noteAccount, noteAct } from "../CurrentRequest.ts"
import { ownAnswer } from "../limits/ownEndpoint.ts"
import { accountBehind } from "../sessions/signInGate.ts"

/** The most entries in a response. */
const most = 500

/** The account that an operator names: a handle, an email address or a DID. */
const accountNamed = Effect.fnUntraced(function* (name: string | undefined) {
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
