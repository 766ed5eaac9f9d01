import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import type { CalledUrl } from "../core/lexicon/calledUrl.ts"
import { isSupportedDid } from "../core/identity/did.ts"
import { seenFromRequest } from "./sessions/place.ts"
import type { Origin } from "../services/host/RequestOrigin.ts"
import { type Authorization, parseAuthorization } from "../core/sessions/authorization.ts"
import type { AuditAct } from "../core/operators/auditChain.ts"

/** A handler's details about an operator's act. */
export type ActNotes = Partial<Pick<AuditAct, "act" | "subject" | "reason" | "before" | "after">>

/** The current request, with what its processing collects for the headers and the log. */
export class CurrentRequest extends Context.Service<
  CurrentRequest,
  {
    readonly request: Request
    readonly url: URL
    /** The method in its path; empty outside of `/xrpc/`. */
    readonly nsid: string
    readonly authorization: Authorization | undefined
    /** The path of its route; the request's own path may contain anything. */
    readonly route: string | undefined
    /** The DID of its account. */
    account: string | undefined
    /** The operator or moderator who sent it: `password`, or a DID. */
    operator: string | undefined
    act: ActNotes
    /** Whether another object has answered, so the headers can't be changed. */
    isForwarded: boolean
    /** The headers for a rate limit's state. */
    limits: Readonly<Record<string, string>>
  }
>()("nacre/http/CurrentRequest") {}

/** The NSID in a request's path; undefined outside of `/xrpc/`. */
export const nsidOf = ({ pathname }: Pick<CalledUrl, "pathname">): string | undefined =>
  pathname.startsWith("/xrpc/") ? pathname.slice(6) : undefined

/** Creates the state for an incoming request. */
export const currentRequest = (
  request: Request,
  url: CalledUrl,
  route?: string,
  authorization = request.headers.get("authorization")
): CurrentRequest["Service"] => new Current(request, url, route, authorization)

/** A class, since an object's getters are defined for each object. */
class Current {
  readonly request: Request
  readonly nsid: string
  readonly authorization: Authorization | undefined
  readonly route: string | undefined
  account: string | undefined = undefined
  operator: string | undefined = undefined
  act: ActNotes = {}
  isForwarded = false
  limits: Readonly<Record<string, string>> = {}
  readonly #url: CalledUrl

  constructor(
    request: Request,
    url: CalledUrl,
    route: string | undefined,
    authorization: string | null
  ) {
    this.request = request
    this.nsid = nsidOf(url) ?? ""
    this.authorization = parseAuthorization(authorization ?? undefined)
    this.route = route
    this.#url = url
  }

  get url(): URL {
    return this.#url instanceof URL ? this.#url : new URL(this.request.url)
  }
}

/** The origin of a request; its operator is known once they have authenticated. */
export const originOf = (current: CurrentRequest["Service"]): Origin => ({
  get from() {
    return seenFromRequest(current.request)
  },
  get operator() {
    return current.operator
  }
})

/** Notes the request's account: its log line contains nothing about the account but the DID. */
export const noteAccount = (did: string): Effect.Effect<void, never, CurrentRequest> =>
  Effect.map(CurrentRequest, (current) => {
    if (isSupportedDid(did)) current.account = did
  })

/** Notes who acts as an operator or moderator: the audit log gets an entry. */
export const noteOperator = (operator: string): Effect.Effect<void, never, CurrentRequest> =>
  Effect.map(CurrentRequest, (current) => {
    current.operator = operator
  })

/** Notes what an operator's act is about, and what it changes, for the audit log. */
export const noteAct = (notes: ActNotes): Effect.Effect<void, never, CurrentRequest> =>
  Effect.map(CurrentRequest, (current) => {
    current.act = { ...current.act, ...notes }
  })
