import * as Clock from "effect/Clock"
import * as Effect from "effect/Effect"
import { isNsid } from "../../core/lexicon/syntax.ts"
import { Background } from "../../services/host/Background.ts"
import { Counters } from "../../services/operators/Counters.ts"
import { RequestMetrics } from "../../services/operators/RequestMetrics.ts"
import type { CurrentRequest } from "../CurrentRequest.ts"

const signIn = "com.atproto.server.createSession"

/** Counts a response, and stores what has gathered after it; most responses store nothing. */
export const countRequest = Effect.fnUntraced(function* (
  { request, nsid, route = "unknown" }: CurrentRequest["Service"],
  status: number,
  started: number
) {
  const now = yield* Clock.currentTimeMillis
  const dataset = yield* RequestMetrics
  dataset?.write({
    method: isNsid(nsid) ? nsid : route,
    verb: request.method,
    status,
    millis: now - started
  })
  const counters = yield* Counters
  if (counters === undefined) return
  counters.addRequest(status, now)
  if (status >= 500) counters.add("error")
  if (status === 429) counters.add("rate_limited")
  if (nsid === signIn && status < 300) counters.add("sign_in")
  if (nsid === signIn && status === 401) counters.add("sign_in_refused")
  if (!counters.isDue(now)) return
  yield* (yield* Background).run(
    Effect.catch(counters.store, (failure) =>
      Effect.logWarning("sums could not be stored", failure)
    )
  )
})

/** Counts a sign-in on a page. */
export const countAttempt = ({ kind }: { readonly kind: "proven" | "code" | "refused" }) =>
  Effect.map(Counters, (counters) => {
    if (kind === "proven") counters?.add("sign_in")
    if (kind === "refused") counters?.add("sign_in_refused")
  })
