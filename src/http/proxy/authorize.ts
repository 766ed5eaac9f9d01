import * as Clock from "effect/Clock"
import * as Context from "effect/Context"
import type { CalledUrl } from "../../core/lexicon/calledUrl.ts"
import { queryValue } from "../../core/lexicon/params.ts"
import { rayHeader, rayOf, requestIdHeader } from "../../services/host/RequestId.ts"
import { type Authorizing, authorizeProxyNow } from "../../services/proxy/calls.ts"
import { credentialsOf } from "../Xrpc.ts"

/**
 * The path at which an account's object authorizes a proxied read without a fiber.
 *
 * Only the Worker asks for it: it forwards nothing outside of `/xrpc/`.
 */
export const authorizePath = "/authorize"

const tokenHeader = "x-nacre-token"
const revHeader = "x-nacre-rev"

/** The Worker's question, with the caller's token and the request's id. */
export const authorizeRequest = (
  { headers }: Request,
  { lxm, aud, tokenAud }: { readonly lxm: string; readonly aud: string; readonly tokenAud: string },
  id: string
): Request => {
  const query = `lxm=${lxm}&aud=${encodeURIComponent(aud)}&tokenAud=${encodeURIComponent(tokenAud)}`
  return new Request(`https://account${authorizePath}?${query}`, {
    headers: {
      authorization: headers.get("authorization") ?? "",
      [rayOf(headers) === undefined ? requestIdHeader : rayHeader]: id
    }
  })
}

/** The object's response: without a token, the caller has to be judged the usual way. */
export const authorizeAtOnce = (
  request: Request,
  { searchParams }: CalledUrl,
  services: Authorizing
): Response => {
  const [lxm, aud, tokenAud] = ["lxm", "aud", "tokenAud"].map((name) =>
    queryValue(searchParams, name)
  )
  if (lxm === undefined || aud === undefined || tokenAud === undefined) return unauthorized()
  const input = { ...credentialsOf(request), lxm, aud, tokenAud }
  const now = Context.get(services, Clock.Clock).currentTimeMillisUnsafe()
  const made = authorizeProxyNow(input, services, now)
  if (made === undefined) return unauthorized()
  return new Response(null, { headers: { [tokenHeader]: made.token, [revHeader]: made.rev } })
}

/** The response without a token. */
export const unauthorized = (): Response => new Response(null, { status: 204 })

/** The token and the repo's rev in the object's response. */
export const authorizationIn = ({
  headers
}: Response): { readonly token: string; readonly rev: string } | undefined => {
  const token = headers.get(tokenHeader)
  const rev = headers.get(revHeader)
  return token === null || rev === null ? undefined : { token, rev }
}
