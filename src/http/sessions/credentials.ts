import type { Credentials } from "../../services/sessions/Auth.ts"
import { isByApp } from "./dpopHeaders.ts"

/** The request's credentials from its headers. */
export const credentialsOf = (request: Request): Credentials => {
  const authorization = request.headers.get("authorization")
  return { method: request.method, url: request.url, ...credentialHeaders(request, authorization) }
}

/** The credentials of a query, at whatever URL the object is asked for it. */
export const queryCredentials = (
  request: Request,
  nsid: string,
  authorization: string | null
): Credentials => ({
  method: "GET",
  url: `/xrpc/${nsid}`,
  ...credentialHeaders(request, authorization)
})

/** The headers with a request's credentials. */
export const credentialHeaders = (
  { headers }: Request,
  authorization: string | null
): Pick<Credentials, "authorization" | "dpop"> => {
  if (authorization === null) return {}
  const dpop = isByApp(authorization) ? headers.get("dpop") : null
  return dpop === null ? { authorization } : { authorization, dpop }
}
