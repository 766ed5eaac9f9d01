import * as Clock from "effect/Clock"
import * as Effect from "effect/Effect"
import { isNsid } from "../../core/lexicon/syntax.ts"
import type { Caller } from "../../services/sessions/Authority.ts"
import { RequestId } from "../../services/host/RequestId.ts"
import { AuditLog } from "../../services/operators/AuditLog.ts"
import { type CurrentRequest, noteOperator } from "../CurrentRequest.ts"
import { asError } from "../errors.ts"

/** The header with an operator's reason, percent-encoded. */
const reasonHeader = "x-nacre-reason"

/** Notes the calling moderation service or operator. */
export const noteModerator = (caller: Caller): Effect.Effect<void, never, CurrentRequest> =>
  caller.kind === "moderator" || caller.kind === "operator" ? noteOperator(caller.did) : Effect.void

const decoded = (text: string): Effect.Effect<string> =>
  Effect.orElseSucceed(
    Effect.try({ try: () => decodeURIComponent(text), catch: () => undefined }),
    () => text
  )

/** Whether a request changes something instead of only reading. */
const isChange = ({ method }: Request): boolean => method !== "GET" && method !== "HEAD"

/**
 * Writes an operator's or moderator's act into the audit log after its response.
 *
 * An act that can't be logged has still happened; its response becomes a 503, and the server's log
 * reports it.
 */
export const recordAct = Effect.fnUntraced(function* (
  response: Response,
  operator: string,
  { request, nsid, route, act }: CurrentRequest["Service"]
) {
  const requestId = yield* RequestId
  const said = request.headers.get(reasonHeader)
  const reason = said === null ? undefined : yield* decoded(said)
  const entry = {
    at: yield* Clock.currentTimeMillis,
    actor: operator,
    act: isNsid(nsid) ? nsid : (route ?? "unknown"),
    status: response.status,
    ...(reason === undefined ? {} : { reason }),
    ...act,
    ...(requestId === undefined ? {} : { request: requestId })
  }
  return yield* (yield* AuditLog).append(entry).pipe(
    Effect.as(response),
    Effect.catch((failure) =>
      Effect.as(
        Effect.logError("an act is missing in the audit log", failure).pipe(
          Effect.annotateLogs({ operator, act: entry.act })
        ),
        isChange(request) ? asError(failure) : response
      )
    )
  )
})
