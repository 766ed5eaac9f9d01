import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import type { CalledUrl } from "../../core/lexicon/calledUrl.ts"
import { isNsid } from "../../core/lexicon/syntax.ts"
import { Accounts, unavailable } from "../../services/accounts/Accounts.ts"
import type { KnownAccounts } from "../../services/accounts/KnownAccounts.ts"
import { Config } from "../../services/host/Config.ts"
import { Outgoing, type OutgoingError, type OutgoingStream } from "../../services/host/Outgoing.ts"
import { ProxyTargets } from "../../services/proxy/ProxyTargets.ts"
import type { Authority } from "../../services/sessions/Authority.ts"
import { accountAtOnce } from "../accounts/accountOf.ts"
import type { CurrentRequest } from "../CurrentRequest.ts"
import type { Failure } from "../errors.ts"
import { OwnMethods } from "../host/ownMethods.ts"
import { accountMethods, hostMethods } from "../methods.ts"
import { isWhole } from "../queryNow.ts"
import { reopened } from "../responses.ts"
import { authorizationIn, authorizeQuestion } from "./authorize.ts"
import { ask, isPassed, outgoingOf, responseOf } from "./exchange.ts"
import { planNow } from "./plan.ts"
import { finish, proxy, upward } from "./proxy.ts"
import { patches, revBehind } from "./readAfterWrite.ts"
import { isProxied } from "./rules.ts"

type Needs =
  | Effect.Services<ReturnType<typeof proxy>>
  | Effect.Services<ReturnType<typeof ask>>
  | Effect.Services<ReturnType<typeof finish>>
  | KnownAccounts

/** A response, or the rest of the way to it, which needs a fiber. */
type Reached = Response | Effect.Effect<Response, Failure, Needs>

/** A read of a configured service, for an account that this isolate knows. */
export interface ProxiedRead {
  readonly did: string
  /** Answers the request with this id; never rejects. */
  readonly answer: (id: string) => Promise<Reached>
}

const byCredentials: Authority = { kind: "session", level: "standard", oauth: "any" }

/**
 * Prepares a read of another service in the fewest steps; returns undefined for other requests.
 *
 * The account's object judges the caller and signs. A response that has to be patched or read
 * first, and every failure, take the usual way from that point.
 */
export const proxyNow = (
  current: CurrentRequest["Service"],
  authorization: string | null,
  called: CalledUrl,
  services: Context.Context<Needs>
): ProxiedRead | undefined => {
  const { nsid, request } = current
  const { askNow } = Context.get(services, Accounts)
  if (request.method !== "GET" || authorization === null || askNow === undefined) {
    return undefined
  }
  if (hostMethods.has(nsid) || accountMethods.has(nsid) || !isNsid(nsid) || !isProxied(nsid)) {
    return undefined
  }
  if (Context.get(services, OwnMethods).methods.has(nsid)) return undefined
  const config = Context.get(services, Config)
  const plan = planNow(nsid, request, config)
  const endpoint = plan && Context.get(services, ProxyTargets).endpointNow(plan.target)
  if (plan === undefined || endpoint === undefined) return undefined
  const did = accountAtOnce(byCredentials, authorization, called, services)
  if (did === undefined) return undefined

  const { target, aud, tokenAud } = plan
  const patch = patches.get(nsid)
  const send = (token: string, rev: string): Promise<Reached> => {
    const { search } = called
    const asked = upward({ method: "GET", nsid, search, request, endpoint, token, patch })
    const finished = (answer: OutgoingStream) => {
      const { url } = current
      const about = { nsid, request, url, did, rev, endpoint, audience: target.did }
      return finish(answer, patch, about)
    }
    return Context.get(services, Outgoing)
      .openNow(asked.url, outgoingOf(asked, config))
      .then(
        (answer) =>
          isPassed(answer) && (patch === undefined || revBehind(answer.headers, rev) === undefined)
            ? responseOf(answer)
            : finished(answer),
        (error: OutgoingError) => Effect.flatMap(ask(asked, error), finished)
      )
  }
  const answer = (id: string): Promise<Reached> => {
    const claims = { lxm: nsid, aud, tokenAud }
    const { url, headers } = authorizeQuestion(request, claims, { authorization, id })
    return askNow(did, url, headers).then(
      (answered) => {
        const found = authorizationIn(answered)
        if (found !== undefined) return send(found.token, found.rev)
        return isWhole(answered)
          ? Effect.succeed(reopened(answered))
          : proxy(nsid, request, current.url)
      },
      (reason) => unavailable("authorizeProxy", did, reason)
    )
  }
  return { did, answer: (id) => answer(id).catch((defect) => Effect.die(defect)) }
}
