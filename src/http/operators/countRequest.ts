import * as Clock from "effect/Clock"
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import { isNsid } from "../../core/lexicon/syntax.ts"
import { Background } from "../../services/host/Background.ts"
import { Counters, type CountersShape } from "../../services/operators/Counters.ts"
import { RequestMetrics } from "../../services/operators/RequestMetrics.ts"
import type { CurrentRequest } from "../CurrentRequest.ts"

const signIn = "com.atproto.server.createSession"

/**
 * Counts a response at a time in milliseconds; returns the work of storing what has gathered, which
 * most responses don't need.
 */
export const countNow = (
  services: Context.Context<never>,
  { request, nsid, route = "unknown" }: CurrentRequest["Service"],
  {
    status,
    started,
    now
  }: { readonly status: number; readonly started: number; readonly now: number }
): Effect.Effect<void, never, Background> | undefined => {
  Context.get(services, RequestMetrics)?.write({
    method: isNsid(nsid) ? nsid : route,
    verb: request.method,
    status,
    millis: now - started
  })
  const counters = Context.get(services, Counters)
  if (counters === undefined) return undefined
  counters.addRequest(status, now)
  if (status >= 500) counters.add("error")
  if (status === 429) counters.add("rate_limited")
  if (nsid === signIn && status < 300) counters.add("sign_in")
  if (nsid === signIn && status === 401) counters.add("sign_in_refused")
  return counters.isDue(now) ? stored(counters) : undefined
}

const stored = (counters: CountersShape) =>
  Effect.flatMap(Background, (background) =>
    background.run(
      Effect.catch(counters.store, (failure) =>
        Effect.logWarning("sums could not be stored", failure)
      )
    )
  )

/** Counts a response, and stores what has gathered after it. */
export const countRequest = (
  current: CurrentRequest["Service"],
  status: number,
  started: number
): Effect.Effect<void, never, Background> =>
  Effect.flatMap(Clock.currentTimeMillis, (now) =>
    Effect.contextWith(
      (services: Context.Context<never>) =>
        countNow(services, current, { status, started, now }) ?? Effect.void
    )
  )

/** Counts a sign-in on a page. */
export const countAttempt = ({ kind }: { readonly kind: "proven" | "code" | "refused" }) =>
  Effect.map(Counters, (counters) => {
    if (kind === "proven") counters?.add("sign_in")
    if (kind === "refused") counters?.add("sign_in_refused")
  })
