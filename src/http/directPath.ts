import * as Clock from "effect/Clock"
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Result from "effect/Result"
import { isSupportedDid } from "../core/identity/did.ts"
import { Accounts } from "../services/accounts/Accounts.ts"
import { KnownAccounts } from "../services/accounts/KnownAccounts.ts"
import { Config } from "../services/host/Config.ts"
import { HostKeys } from "../services/host/HostKeys.ts"
import { RequestId } from "../services/host/RequestId.ts"
import { RequestOrigin } from "../services/host/RequestOrigin.ts"
import { Traces } from "../services/operators/Traces.ts"
import { accountAtOnce } from "./accounts/accountOf.ts"
import { dressed, inProtocol, withoutDefects } from "./answers.ts"
import { CurrentRequest, currentRequest, originOf } from "./CurrentRequest.ts"
import { errorResponse, wireError } from "./errors.ts"
import type { HostServices } from "./host.ts"
import { countNow as countTowardsLimits } from "./limits/clientLimits.ts"
import { accountMethods, hostMethods, limitsOf } from "./methods.ts"
import { countNow as countForMetrics } from "./operators/countRequest.ts"
import { orOfAppView } from "./proxy/foreignRecord.ts"
import { marked, newRequestId, withRequestId } from "./requestId.ts"
import { logRequest, logsRequests } from "./requestLog.ts"
import { finishBody } from "./responses.ts"
import { serveAtOnce } from "./Xrpc.ts"
import { changesIdentity } from "./xrpcRoute.ts"

type Services = Context.Context<HostServices>
type Current = CurrentRequest["Service"]

/**
 * Answers the most frequent requests in the fewest steps: the host's public queries without a fiber,
 * and methods of accounts that this isolate knows by forwarding them.
 *
 * Returns undefined for every other request, and while traces are recorded, before it counts anything.
 * The responses are those of `serveHost`, from the same parts.
 */
export const answerDirectly = (
  request: Request,
  services: Services
): Response | Effect.Effect<Response> | undefined => {
  if (!isDirect(request, services)) return undefined
  const url = new URL(request.url)
  const current = currentRequest(request, url, "/xrpc/*")
  const { nsid } = current
  const within = Context.add(services, CurrentRequest, current)
  const answered = serveAtOnce(hostMethods, within, request, url)
  const forwarded = answered === undefined ? forwarding(current, services) : undefined
  if (answered === undefined && forwarded === undefined) return undefined
  const started = Context.get(services, Clock.Clock).currentTimeMillisUnsafe()
  const id = newRequestId(request)
  const config = Context.get(services, Config)
  const finish = (made: Response): Response => {
    note(current, { id, status: made.status, started }, services)
    return dressed(made, current, config)
  }
  const counted = countTowardsLimits(request, limitsOf(nsid), services, started)
  if (Result.isSuccess(counted)) current.limits = counted.success
  if (answered !== undefined) {
    const made = Result.isSuccess(counted) ? answered : errorResponse(wireError(counted.failure))
    return marked(finish(made), id)
  }
  return withoutDefects(
    inProtocol(Effect.andThen(Effect.fromResult(counted), forwarded ?? Effect.never))
  ).pipe(
    Effect.tap(finishBody(request, config)),
    Effect.flatMap((made) => withRequestId(finish(made), id)),
    Effect.provideContext(
      Context.add(Context.add(within, RequestId, id), RequestOrigin, originOf(current))
    )
  )
}

/** Whether a request has neither headers nor a host that ask for more steps. */
const isDirect = ({ method, headers }: Request, services: Services): boolean => {
  const authorization = headers.get("authorization")
  return (
    (method === "GET" || method === "POST") &&
    (authorization === null || /^\s*bearer\s/i.test(authorization)) &&
    !headers.has("atproto-proxy") &&
    Context.get(services, Traces) === undefined &&
    Context.get(services, HostKeys).areRight()
  )
}

/** Forwards a method to its account's object; undefined if its account isn't known at once. */
const forwarding = (current: Current, services: Services) => {
  const { nsid, request, url } = current
  const declared = accountMethods.get(nsid)
  if (declared === undefined || hostMethods.has(nsid) || changesIdentity.has(nsid)) return undefined
  const { remembers } = Context.get(services, KnownAccounts)
  const did = accountAtOnce(declared.authority, request, url, remembers)
  if (did === undefined) return undefined
  const forwarded = Effect.suspend(() => {
    if (isSupportedDid(did)) current.account = did
    current.isForwarded = true
    return Context.get(services, Accounts).forward(did, request)
  })
  return nsid === "com.atproto.repo.getRecord" ? orOfAppView(forwarded, request, url) : forwarded
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
  const run = Effect.runForkWith(Context.add(services, RequestId, id))
  if (logsRequests(services)) run(logRequest(current, status, started))
  const now = Context.get(services, Clock.Clock).currentTimeMillisUnsafe()
  const storing = countForMetrics(services, current, { status, started, now })
  if (storing !== undefined) run(storing)
}
