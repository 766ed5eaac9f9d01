import * as Context from "effect/Context"
import * as Result from "effect/Result"
import * as Effect from "effect/Effect"
import { type CalledUrl, queryOf } from "../core/lexicon/calledUrl.ts"
import { Config, type Settings } from "../services/host/Config.ts"
import { requestIdHeader, RequestId } from "../services/host/RequestId.ts"
import * as Soon from "../services/host/Soon.ts"
import type { DpopProofs } from "../services/oauth/DpopProofs.ts"
import type { Auth } from "../services/sessions/Auth.ts"
import { serveAtOnce } from "./atOnce.ts"
import { corsHeaders } from "./cors.ts"
import type { CurrentRequest } from "./CurrentRequest.ts"
import { asError, type Failure } from "./errors.ts"
import { accountMethods } from "./methods.ts"
import { marked } from "./requestId.ts"
import { limitHeaders, limitsText } from "./responses.ts"
import { isByApp, nextNonce } from "./sessions/dpopHeaders.ts"
import { credentialHeaders } from "./sessions/credentials.ts"
import type { MethodTable } from "./Xrpc.ts"

/**
 * Where an account's object answers a query with the whole response.
 *
 * Only the Worker asks there: it forwards nothing outside of `/xrpc/`.
 */
const place = "https://account/query/"

/** Whether an account's object is asked for the whole response to a request. */
export const isQueryNow = (
  { request, nsid }: CurrentRequest["Service"],
  { debugRows }: Settings
): boolean =>
  !debugRows &&
  request.method === "GET" &&
  request.body === null &&
  accountMethods.get(nsid)?.atOnce !== undefined

/** What the Worker asks an object itself. */
interface Question {
  readonly url: string
  readonly headers: Readonly<Record<string, string>> | undefined
}

/**
 * The Worker's question, with all that the response depends on: each header and each object of a
 * request or response that isn't made saves more than the answer costs.
 */
export const queryFor = (
  { request, nsid, limits }: CurrentRequest["Service"],
  { search }: Pick<CalledUrl, "search">,
  { authorization, id }: { readonly authorization: string | null; readonly id: string },
  { corsOrigins }: Settings
): Question => {
  const url = `${place}${id}/${limitsText(limits)}/${nsid}${search}`
  const origin = corsOrigins === "*" ? null : request.headers.get("origin")
  if (authorization === null && origin === null) return { url, headers: undefined }
  const credentials = credentialHeaders(request, authorization)
  return { url, headers: origin === null ? credentials : { ...credentials, origin } }
}

/** Such a question: the request's id, its limits, the method, and its parameters. */
const question = new RegExp(`^${place}([\\w-]+)/(\\d*)-(\\d*)-(\\d*)-(\\d*)/([\\w.-]*)(\\?.*)?$`)

type Needs =
  typeof accountMethods extends MethodTable<infer R> ? R | Auth | Config | DpopProofs : never

/** The object's response to such a question; undefined for any other request. */
export const answerQuery = (
  request: Request,
  services: Context.Context<Needs>
): Soon.Soon<Response, never, Needs> | undefined => {
  const found = question.exec(request.url)
  if (found === null) return undefined
  const [, id = "", limit = "", remaining = "", reset = "", seconds = "", nsid = "", search = ""] =
    found
  const authorization = request.headers.get("authorization")
  const isPrivate = isByApp(authorization)
  const more = {
    ...corsHeaders(request, Context.get(services, Config)),
    [requestIdHeader]: id,
    ...(limit === "" ? {} : limitHeaders(limit, remaining, reset, seconds)),
    ...(isPrivate ? { "dpop-nonce": nextNonce(services) } : {})
  }
  const called = { nsid, searchParams: queryOf(search), more, isPrivate }
  const answered = serveAtOnce(accountMethods, services, request, called, authorization)
  return answered && whole(answered, id)
}

/** An object's response to the Worker's question for a request. */
export const whole = <R>(
  answered: Soon.Soon<Response, Failure, R>,
  id: string
): Soon.Soon<Response, never, R> => {
  // The Worker adds the other headers to errors.
  const response = Soon.orElse(answered, (failure) => Result.succeed(marked(asError(failure), id)))
  return Result.isResult(response) ? response : Effect.provideService(response, RequestId, id)
}

/** Whether an object knew the question; only an object of a version before doesn't. */
export const isWhole = ({ status, headers }: Response): boolean =>
  status === 200 || headers.has(requestIdHeader)
