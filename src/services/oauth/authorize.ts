import * as Clock from "effect/Clock"
import * as Effect from "effect/Effect"
import { newSessionId, sessionKinds } from "../../core/sessions/sessionId.ts"
import type { AuthorizationRequest, OAuthErrorName } from "../../core/oauth/types.ts"
import { OAuthRequests } from "./OAuthRequests.ts"
import type { SeenFrom } from "../../core/sessions/seenFrom.ts"

/** The result for the client: a code, or why there is none. */
export type AuthorizationAnswer =
  | { readonly code: string }
  | { readonly error: OAuthErrorName; readonly description: string }

/** How the browser takes the result to the client: by a redirect or by a form post. */
export type WayBack =
  | { readonly kind: "redirect"; readonly url: string }
  | {
      readonly kind: "form"
      readonly action: string
      readonly fields: Readonly<Record<string, string>>
    }

/**
 * How a result returns to the client; always includes `iss` and `state`.
 *
 * Spec: RFC 6749 4.1.2, RFC 9207; OAuth 2.0 Form Post Response Mode.
 */
export const redirectFor = (
  issuer: string,
  { redirectUri, responseMode, state }: AuthorizationRequest,
  answer: AuthorizationAnswer
): WayBack => {
  const outcome =
    "code" in answer
      ? { code: answer.code }
      : { error: answer.error, error_description: answer.description }
  const fields = { iss: issuer, state, ...outcome }
  if (responseMode === "form_post") return { kind: "form", action: redirectUri, fields }
  const text = new URLSearchParams(fields).toString()
  // The address is exactly the registered text; no parser changes it.
  const joint = responseMode === "fragment" ? "#" : redirectUri.includes("?") ? "&" : "?"
  return { kind: "redirect", url: `${redirectUri}${joint}${text}` }
}

/** Who agreed to what, and where. */
export interface Consent {
  readonly requestUri: string
  readonly device: string
  readonly did: string
  /** The scope that the user agreed to. */
  readonly scope: string
  readonly from: SeenFrom
}

/**
 * Exchanges a pushed request for a code for the account; undefined if the request has expired, was
 * taken, or is another device's.
 *
 * The caller has verified the user's sign-in and consent.
 */
export const grantCode = Effect.fn("grantCode")(function* (consent: Consent) {
  const { requestUri, device, did, scope, from } = consent
  const requests = yield* OAuthRequests
  const pending = yield* requests.take(requestUri, device)
  if (pending === undefined) return undefined
  const { parameters, clientAuth, jkt } = pending
  const session = newSessionId(sessionKinds.oauth, yield* Clock.currentTimeMillis)
  const grant = { parameters, clientAuth, jkt, did, scope, device, session, from }
  return { parameters, code: yield* requests.createCode(grant) }
})
