import * as Clock from "effect/Clock"
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Result from "effect/Result"
import { type CalledUrl, calledUrl } from "../core/lexicon/calledUrl.ts"
import { isSupportedDid } from "../core/identity/did.ts"
import { Accounts, unavailable } from "../services/accounts/Accounts.ts"
import { Config } from "../services/host/Config.ts"
import { HostKeys } from "../services/host/HostKeys.ts"
import { RequestId } from "../services/host/RequestId.ts"
import { RequestOrigin } from "../services/host/RequestOrigin.ts"
import { Traces } from "../services/operators/Traces.ts"
import { accountAtOnce } from "./accounts/accountOf.ts"
import { dressed, inProtocol, withoutDefects } from "./answers.ts"
import { CurrentRequest, currentRequest, originOf } from "./CurrentRequest.ts"
import { asError, type Failure } from "./errors.ts"
import type { HostServices } from "./host.ts"
import { countNow as countTowardsLimits } from "./limits/clientLimits.ts"
import { accountMethods, hostMethods, limitsOf } from "./methods.ts"
import { countNow as countForMetrics } from "./operators/countRequest.ts"
import { type ProxiedRead, proxyNow } from "./proxy/proxyNow.ts"
import { isQueryNow, isWhole, queryFor } from "./queryNow.ts"
import { orOfAppView } from "./proxy/foreignRecord.ts"
import { marked, newRequestId, withRequestId } from "./requestId.ts"
import { logRequest, logsRequests } from "./requestLog.ts"
import { respondTo } from "./respondTo.ts"
import { finishBody } from "./responses.ts"
import { serveAtOnce } from "./atOnce.ts"
import { changesIdentity } from "./xrpcRoute.ts"

type Services = Context.Context<HostServices>
type Current = CurrentRequest["Service"]

/**
 * Answers the most frequent requests in the fewest steps: the host's public queries at once, and
 * methods of accounts that this isolate knows by forwarding them, and their reads of other services
 * by sending them there. A fiber runs only for the rest: failures, a record of another server, and
 * a response that has to be patched.
 *
 * Returns undefined for all other requests, and for all while traces are recorded; these aren't
 * counted yet. The responses are those of `serveHost`, from the same parts.
 */
export const answerDirectly = (
  request: Request,
  services: Services
): Response | Promise<Response> | undefined => {
  const authorization = request.headers.get("authorization")
  if (!isDirect(request, authorization, services)) return undefined
  const url = calledUrl(request.url)
  const current = currentRequest(request, url, "/xrpc/*", authorization)
  const { nsid } = current
  const within = Context.add(services, CurrentRequest, current)
  // The answer, the account that answers, or a read of another service.
  const way: Response | string | ProxiedRead | undefined =
    hostAnswer(current, authorization, url, within) ??
    accountIn(current, authorization, url, services) ??
    proxyNow(current, authorization, url, within)
  if (way === undefined) return undefined
  const started = Context.get(services, Clock.Clock).currentTimeMillisUnsafe()
  const id = newRequestId(request)
  const config = Context.get(services, Config)
  const finish = (made: Response): Response => {
    note(current, { id, status: made.status, started }, services)
    return dressed(made, current, services)
  }
  const inFiber = (made: Effect.Effect<Response, Failure, HostServices | CurrentRequest>) =>
    respondTo(
      request,
      Context.add(Context.add(within, RequestId, id), RequestOrigin, originOf(current)),
      withoutDefects(inProtocol(made)).pipe(
        Effect.tap(() => finishBody(request, config)),
        Effect.flatMap((response) => withRequestId(finish(response), id))
      )
    )
  const counted = countTowardsLimits(request, limitsOf(nsid), services, started)
  if (Result.isFailure(counted)) return inFiber(Effect.fail(counted.failure))
  current.limits = counted.success
  if (way instanceof Response) return marked(finish(way), id)
  const did = typeof way === "string" ? way : way.did
  if (isSupportedDid(did)) current.account = did
  if (typeof way !== "string") {
    return way
      .answer(id)
      .then((made) => (made instanceof Response ? marked(finish(made), id) : inFiber(made)))
  }
  current.isForwarded = true
  const orElsewhere = (local: Effect.Effect<Response, Failure, HostServices>) =>
    orOfAppView(nsid, local, request, current.url)
  const accounts = Context.get(services, Accounts)
  const { askNow, forwardNow } = accounts
  if (forwardNow === undefined) return inFiber(orElsewhere(accounts.forward(did, request)))
  const failed = (reason: unknown) => inFiber(unavailable("forward", did, reason))
  const forwarded = () =>
    forwardNow(did, request, id).then(
      (made) =>
        made.status < 400 && !isUnread(request)
          ? marked(finish(made), id)
          : inFiber(orElsewhere(Effect.succeed(made))),
      failed
    )
  if (askNow === undefined || !isQueryNow(current, config)) return forwarded()
  const query = queryFor(current, url, { authorization, id }, config)
  return askNow(did, query.url, query.headers).then((made) => {
    if (!isWhole(made)) return forwarded()
    if (made.status >= 400) return inFiber(orElsewhere(Effect.succeed(made)))
    note(current, { id, status: made.status, started }, services)
    return made
  }, failed)
}

/** Whether nobody reads a request's body: neither this isolate nor the object. */
const isUnread = ({ body }: Request): boolean => body !== null && !body.locked

/** Whether a request has neither headers nor a host that ask for more steps. */
const isDirect = ({ method }: Request, authorization: string | null, services: Services): boolean =>
  (method === "GET" || method === "POST") &&
  (authorization === null || /^\s*(bearer|dpop)\s/i.test(authorization)) &&
  Context.get(services, Traces) === undefined &&
  Context.get(services, HostKeys).areRight()

/** The host's own answer, if it is known without waiting. */
const hostAnswer = (
  { nsid, request }: Current,
  authorization: string | null,
  { searchParams }: CalledUrl,
  services: Context.Context<HostServices | CurrentRequest>
): Response | undefined => {
  const called = { nsid, searchParams }
  const answered = serveAtOnce(hostMethods, services, request, called, authorization)
  return answered !== undefined && Result.isResult(answered)
    ? Result.getOrElse(answered, asError)
    : undefined
}

/** The account of a method that its object answers; undefined if it isn't known at once. */
const accountIn = (
  { nsid, request }: Current,
  authorization: string | null,
  url: CalledUrl,
  services: Services
): string | undefined => {
  const declared = accountMethods.get(nsid)
  if (declared === undefined || hostMethods.has(nsid) || changesIdentity.has(nsid)) return undefined
  // Another service may be meant.
  if (request.headers.has("atproto-proxy")) return undefined
  return accountAtOnce(declared.authority, authorization, url, services)
}

/** Logs and counts a request. */
const note = (
  current: Current,
  {
    id,
    status,
    started
  }: { readonly id: string; readonly status: number; readonly started: number },
  services: Services
): void => {
  const run = (work: Effect.Effect<void, never, HostServices>) =>
    Effect.runForkWith(Context.add(services, RequestId, id))(work)
  if (logsRequests(services)) run(logRequest(current, status, started))
  const now = Context.get(services, Clock.Clock).currentTimeMillisUnsafe()
  const storing = countForMetrics(services, current, { status, started, now })
  if (storing !== undefined) run(storing)
}
