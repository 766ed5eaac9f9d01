import * as Context from "effect/Context"
import { type CalledUrl, queryOf } from "../core/lexicon/calledUrl.ts"
import { AccountHistory } from "../services/accounts/AccountHistory.ts"
import { Config, type Settings } from "../services/host/Config.ts"
import { requestIdHeader } from "../services/host/RequestId.ts"
import type { Auth } from "../services/sessions/Auth.ts"
import { isOfSession } from "./accounts/accountOf.ts"
import { serveAtOnce } from "./atOnce.ts"
import { corsHeaders } from "./cors.ts"
import type { CurrentRequest } from "./CurrentRequest.ts"
import { accountMethods } from "./methods.ts"
import { limitHeaders, limitsText } from "./responses.ts"
import type { MethodTable } from "./Xrpc.ts"

/**
 * Where an account's object answers a query with the whole response.
 *
 * Only the Worker asks there: it forwards nothing outside of `/xrpc/`.
 */
const place = "https://account/query/"

/** Whether an account's object may answer a request at once; `now` is in milliseconds. */
export const isQueryNow = (
  { request, nsid }: CurrentRequest["Service"],
  { authorization, now }: { readonly authorization: string | null; readonly now: number },
  { debugRows }: Settings
): boolean =>
  !debugRows &&
  request.method === "GET" &&
  request.body === null &&
  accountMethods.get(nsid)?.atOnce !== undefined &&
  (authorization === null || isOfSession(authorization, now))

/**
 * The Worker's question, with all that the response depends on: each header and each object of a
 * request or response that isn't made saves more than the answer costs.
 */
export const queryFor = (
  { request, nsid, limits }: CurrentRequest["Service"],
  { search }: Pick<CalledUrl, "search">,
  { authorization, id }: { readonly authorization: string | null; readonly id: string },
  { corsOrigins }: Settings
): { readonly url: string; readonly headers: Readonly<Record<string, string>> | undefined } => {
  const url = `${place}${id}/${limitsText(limits)}/${nsid}${search}`
  const origin = corsOrigins === "*" ? null : request.headers.get("origin")
  if (authorization === null && origin === null) return { url, headers: undefined }
  return {
    url,
    headers: {
      ...(authorization === null ? {} : { authorization }),
      ...(origin === null ? {} : { origin })
    }
  }
}

/** Such a question: the request's id, its limits, the method, and its parameters. */
const question = new RegExp(`^${place}([\\w-]+)/(\\d*)-(\\d*)-(\\d*)-(\\d*)/([\\w.-]*)(\\?.*)?$`)

/** Whether an object is asked such a question. */
export const isQuestion = (url: string): boolean => url.startsWith(place)

type Services =
  typeof accountMethods extends MethodTable<infer R>
    ? Context.Context<R | Auth | Config | AccountHistory>
    : never

/**
 * The object's response; undefined if it isn't asked, or needs more than the question. Only a
 * response that is whole has the request's id.
 */
export const answerQuery = (request: Request, services: Services): Response | undefined => {
  const found = question.exec(request.url)
  if (found === null || Context.get(services, AccountHistory).hasUnsent()) return undefined
  const [, id = "", limit = "", remaining = "", reset = "", seconds = "", nsid = "", search = ""] =
    found
  const more = {
    ...corsHeaders(request, Context.get(services, Config)),
    [requestIdHeader]: id,
    ...(limit === "" ? {} : limitHeaders(limit, remaining, reset, seconds))
  }
  const searchParams = queryOf(search)
  return serveAtOnce(accountMethods, services, request, { nsid, searchParams, more })
}

/** The response to a query that has to be forwarded. */
export const unanswered = (): Response => new Response(null, { status: 204 })

/** Whether an object's response is whole. */
export const isWhole = ({ status, headers }: Response): boolean =>
  status === 200 || headers.has(requestIdHeader)
