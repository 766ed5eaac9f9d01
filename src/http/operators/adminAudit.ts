import * as Effect from "effect/Effect"
import { queryValue } from "../../core/lexicon/params.ts"
import { InvalidRequest } from "../../services/failures.ts"
import { AuditLog } from "../../services/operators/AuditLog.ts"
import { forAdministrator, ownAnswer } from "../limits/ownEndpoint.ts"

/** The most entries in a response. */
const most = 500

const numberIn = Effect.fnUntraced(function* (url: URL, name: string) {
  const text = queryValue(url.searchParams, name)
  if (text === undefined) return undefined
  if (!/^\d{1,15}$/.test(text)) {
    return yield* new InvalidRequest({ message: `${name} must be a whole number` })
  }
  return Number(text)
})

const named = <K extends string, A>(name: K, value: A | undefined) =>
  // SAFETY: an object with this one key.
  (value === undefined ? {} : { [name]: value }) as { readonly [N in K]?: A }

/**
 * GET `/admin/audit?after=&before=&limit=&actor=&act=&subject=`: the acts of operators and
 * moderators, newest first, or with `after` oldest first from that number.
 */
export const adminAudit = Effect.fn("http.adminAudit")(function* (request: Request, url: URL) {
  yield* forAdministrator(request, "admin/audit")
  const limit = (yield* numberIn(url, "limit")) ?? 100
  if (limit < 1 || limit > most) {
    return yield* new InvalidRequest({ message: `limit must be from 1 to ${most}` })
  }
  const log = yield* AuditLog
  const head = yield* log.head
  const entries = yield* log.page({
    limit,
    ...named("after", yield* numberIn(url, "after")),
    ...named("before", yield* numberIn(url, "before")),
    ...named("actor", queryValue(url.searchParams, "actor")),
    ...named("act", queryValue(url.searchParams, "act")),
    ...named("subject", queryValue(url.searchParams, "subject"))
  })
  return ownAnswer({ head, entries })
})
