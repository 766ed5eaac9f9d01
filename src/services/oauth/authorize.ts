import * as Clock from "effect/Clock"
import * as Effect from "effect/Effect"
import { newSessionId, sessionKinds } from "../../core/sessions/sessionId.ts"
import type { AuthorizationRequest, OAuthErrorName } from "../../core/oauth/types.ts"
import { OAuthRequests } from "./OAuthRequests.ts"

/** What the client is told: a code, or why there is none. */
export type AuthorizationAnswer =
  | { readonly code: string }
  | { readonly error: OAuthErrorName; readonly description: string }

/** How the browser carries an answer to the client: by an address to go to, or by a form to post. */
export type WayBack =
  | { readonly kind: "redirect"; readonly url: string }
  | {
      readonly kind: "form"
      readonly action: string
      readonly fields: Readonly<Record<string, string>>
    }

/**
 * The way of an answer back to the client; `iss` and `state` are always with it.
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
  // The address is what the client registered, byte for byte: no parser goes over it.
  const joint = responseMode === "fragment" ? "#" : redirectUri.includes("?") ? "&" : "?"
  return { kind: "redirect", url: `${redirectUri}${joint}${text}` }
}

/** Who agrees, to what, and where. */
export interface Consent {
  readonly requestUri: string
  readonly device: string
  readonly did: string
  /** The scope that the person agreed to. */
  readonly scope: string
}

/**
 * Turns a pushed request into a code for the account; nothing where the request is over, taken, or another device's.
 *
 * Who calls it has seen the person sign in and agree.
 */
export const grantCode = Effect.fn("grantCode")(function* (consent: Consent) {
  const { requestUri, device, did, scope } = consent
  const requests = yield* OAuthRequests
  const pending = yield* requests.take(requestUri, device)
  if (pending === undefined) return undefined
  const { parameters, clientAuth, jkt } = pending
  const session = newSessionId(sessionKinds.oauth, yield* Clock.currentTimeMillis)
  const grant = { parameters, clientAuth, jkt, did, scope, device, session }
  return { parameters, code: yield* requests.createCode(grant) }
})
