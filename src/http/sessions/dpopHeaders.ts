import * as Clock from "effect/Clock"
import * as Context from "effect/Context"
import { DpopProofs } from "../../services/oauth/DpopProofs.ts"
import type { CurrentRequest } from "../CurrentRequest.ts"
import { privateHeaders } from "../responses.ts"

/** Whether an app sends an `Authorization` header, with a proof in another. */
export const isByApp = (authorization: string | null): boolean =>
  authorization !== null && /^\s*dpop(\s|$)/i.test(authorization)

/**
 * The headers of every response to an app's credentials, with the nonce for its next proof.
 *
 * Spec: RFC 9449, section 9.
 */
export const dpopHeaders = (
  { authorization }: Pick<CurrentRequest["Service"], "authorization">,
  { headers }: Response,
  services: Context.Context<DpopProofs>
): Readonly<Record<string, string>> => {
  if (authorization?.scheme !== "dpop") return {}
  // The account's object may require its own nonce after it slept.
  return { ...privateHeaders, "dpop-nonce": headers.get("dpop-nonce") ?? nextNonce(services) }
}

/** The nonce for an app's next proof. */
export const nextNonce = (services: Context.Context<DpopProofs>): string => {
  const now = Context.get(services, Clock.Clock).currentTimeMillisUnsafe()
  return Context.get(services, DpopProofs).nonce(now)
}

/** Makes a response with an app's nonce uncacheable, because it is for that app only. */
export const forAppAlone = (
  response: Response,
  headers: Readonly<Record<string, string>>
): Response => {
  if (!("dpop-nonce" in headers)) return response
  const isPublic = response.headers.get("cache-control")?.startsWith("public") === true
  if (isPublic) response.headers.delete("cache-control")
  return response
}
