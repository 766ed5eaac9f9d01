import * as Effect from "effect/Effect"
import { answered, type Question } from "../../core/proxy/questions.ts"
import type { JsonObject } from "../../core/proxy/json.ts"
import type { AppViewRead } from "../../services/repo/calls.ts"
import { Accounts } from "../../services/accounts/Accounts.ts"
import { Outgoing } from "../../services/host/Outgoing.ts"
import type { Patchable } from "./patch.ts"

/** Somebody is waiting for the response that needs this. */
const limits = { maxBytes: 2_000_000, timeout: "3 seconds" } as const

/** Headers of the caller that affect the AppView's response. */
const handedOn = ["accept-language", "atproto-accept-labelers"]

/** Sends another request to a response's upstream, in the caller's name. */
export const askAppView = Effect.fnUntraced(function* (
  { did, audience, endpoint, request }: Patchable,
  lxm: AppViewRead,
  params: ReadonlyArray<readonly [name: string, value: string]>
) {
  const accounts = yield* Accounts
  const { token } = yield* accounts.call(did, "signAppViewRead", { lxm, aud: audience })
  const headers: Record<string, string> = { authorization: `Bearer ${token}` }
  for (const name of handedOn) {
    const value = request.headers.get(name)
    if (value !== null) headers[name] = value
  }
  const query = new URLSearchParams(params.map(([name, value]) => [name, value]))
  const { body } = yield* (yield* Outgoing).request(
    new URL(`/xrpc/${lxm}?${query}`, endpoint).href,
    { ...limits, headers, accept: "application/json" }
  )
  return yield* Effect.try(() => JSON.parse(new TextDecoder().decode(body)) as unknown)
})

/** Sends all requests concurrently; a failing one shows nothing. */
export const askAll = Effect.fnUntraced(function* (
  answer: Patchable,
  questions: ReadonlyArray<Question>
) {
  const views = yield* Effect.forEach(
    questions,
    (question) =>
      askAppView(answer, question.lxm, question.params).pipe(
        Effect.map((found) => answered(question, found)),
        Effect.catch((failure) =>
          Effect.as(Effect.logDebug("an app view does not tell", failure), [])
        )
      ),
    { concurrency: "unbounded" }
  )
  return new Map<string, JsonObject>(views.flat())
})
