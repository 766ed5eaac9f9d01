import { calledUrl } from "../../core/lexicon/calledUrl.ts"
import { queryValue } from "../../core/lexicon/params.ts"
import { requestIdHeader } from "../../services/host/RequestId.ts"
import * as Soon from "../../services/host/Soon.ts"
import { authorizeProxySoon } from "../../services/proxy/calls.ts"
import { whole } from "../queryNow.ts"
import { credentialHeaders, queryCredentials } from "../sessions/credentials.ts"

/**
 * Where an account's object authorizes a proxied read.
 *
 * Only the Worker asks there: it forwards nothing outside of `/xrpc/`.
 */
const place = "https://account/authorize?"

const tokenHeader = "x-nacre-token"
const revHeader = "x-nacre-rev"

/** The Worker's question, with the caller's credentials and the request's id. */
export const authorizeQuestion = (
  request: Request,
  { lxm, aud, tokenAud }: { readonly lxm: string; readonly aud: string; readonly tokenAud: string },
  { authorization, id }: { readonly authorization: string; readonly id: string }
) => ({
  url: `${place}id=${id}&lxm=${lxm}&aud=${encodeURIComponent(aud)}&tokenAud=${encodeURIComponent(tokenAud)}`,
  headers: credentialHeaders(request, authorization)
})

type Services = Parameters<typeof authorizeProxySoon>[1]

/** The object's response to such a question; undefined for any other request. */
export const answerAuthorize = (
  request: Request,
  services: Services
): Soon.Soon<Response, never> | undefined => {
  if (!request.url.startsWith(place)) return undefined
  const { searchParams } = calledUrl(request.url)
  const [id = "", lxm = "", aud = "", tokenAud = ""] = ["id", "lxm", "aud", "tokenAud"].map(
    (name) => queryValue(searchParams, name)
  )
  const credentials = queryCredentials(request, lxm, request.headers.get("authorization"))
  const input = { ...credentials, lxm, aud, tokenAud }
  const authorized = Soon.map(authorizeProxySoon(input, services), ({ token, rev }) => {
    const headers = { [tokenHeader]: token, [revHeader]: rev, [requestIdHeader]: id }
    return new Response(null, { headers })
  })
  return whole(authorized, id)
}

/** The token and the repo's rev in the object's response; undefined if it rejects the caller. */
export const authorizationIn = ({
  headers
}: Response): { readonly token: string; readonly rev: string } | undefined => {
  const token = headers.get(tokenHeader)
  const rev = headers.get(revHeader)
  return token === null || rev === null ? undefined : { token, rev }
}
