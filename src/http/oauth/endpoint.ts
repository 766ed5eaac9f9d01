import * as Clock from "effect/Clock"
import * as Effect from "effect/Effect"
import type { Form } from "../../core/oauth/parameters.ts"
import { DpopProofs } from "../../services/oauth/DpopProofs.ts"
import type { Shown } from "../../services/oauth/provenKey.ts"
import { takePoint } from "../limits/clientLimits.ts"
import { jsonType, withHeaders } from "../responses.ts"
import { notAllowed, type OAuthFailure, oauthError, oauthErrorResponse } from "./errors.ts"
import { readForm } from "./form.ts"
import { rules } from "../../services/limits/rules.ts"

/** The endpoints that clients post to, with their rate limits. */
const endpointRules = {
  par: rules.oauthPar,
  token: rules.oauthToken,
  revoke: rules.oauthRevoke
} as const

type EndpointName = keyof typeof endpointRules

/** A client's request and its parsed body. */
export interface ClientCall {
  readonly form: Form
  readonly request: Request
}

/** A response that nobody may cache. Spec: RFC 6749 5.1. */
export const answer = (body: object, status = 200): Response =>
  new Response(JSON.stringify(body), { status, headers: { "content-type": jsonType } })

/** A request's DPoP proof and what it must match. */
export const shownIn = (request: Request): Shown => ({
  proof: request.headers.get("dpop") ?? undefined,
  method: request.method,
  url: request.url
})

const maxLogged = 512

/** Logs why a client was rejected, which the response doesn't say; without tokens or proofs. */
export const logRefusal = (name: EndpointName, form: Form, failure: OAuthFailure) => {
  const { status, error, description, reason } = oauthError(failure)
  return Effect.logInfo("an OAuth client was refused").pipe(
    Effect.annotateLogs({
      endpoint: name,
      client: form.get("client_id")?.slice(0, maxLogged),
      status,
      error,
      description,
      reason
    })
  )
}

const serverError = {
  status: 500,
  error: "server_error",
  description: "Internal Server Error"
} as const

/**
 * An endpoint that clients post to: limits, body, errors, and the headers of every response.
 *
 * Spec: RFC 6749 3.2 and 5, RFC 9126 2, RFC 9449 8.
 */
export const endpoint = <R>(
  name: EndpointName,
  run: (call: ClientCall) => Effect.Effect<Response, OAuthFailure, R>
) => {
  const attempt = Effect.fnUntraced(function* (request: Request) {
    if (request.method !== "POST") return notAllowed("POST")
    const limitHeaders = yield* takePoint(request, endpointRules[name])
    const form = yield* readForm(request)
    const response = yield* Effect.tapError(run({ form, request }), (failure) =>
      logRefusal(name, form, failure)
    )
    return withHeaders(response, limitHeaders)
  })

  return Effect.fnUntraced(function* (request: Request) {
    const response = yield* attempt(request).pipe(
      Effect.catch((failure) => Effect.succeed(oauthErrorResponse(oauthError(failure)))),
      Effect.catchCause((cause) =>
        Effect.as(Effect.logError("request failed", cause), oauthErrorResponse(serverError))
      )
    )
    const proofs = yield* DpopProofs
    return withHeaders(response, {
      "cache-control": "no-store",
      pragma: "no-cache",
      "dpop-nonce": proofs.nonce(yield* Clock.currentTimeMillis)
    })
  })
}
