import * as Effect from "effect/Effect"
import { Accounts } from "../../services/accounts/Accounts.ts"
import { Config } from "../../services/host/Config.ts"
import { ProxyTargets } from "../../services/proxy/ProxyTargets.ts"
import { InvalidRequest, MethodNotImplemented } from "../../services/failures.ts"
import { noteAccount } from "../CurrentRequest.ts"
import { subjectOf } from "../accounts/accountOf.ts"
import { credentialsOf } from "../sessions/credentials.ts"
import type { OutgoingStream } from "../../services/host/Outgoing.ts"
import { passBody, type PassedBody } from "./bodies.ts"
import { type About, consult } from "./consult.ts"
import { ask, failedAnswer, passedAnswer, succeeded, type Upward } from "./exchange.ts"
import { headersUp } from "./headers.ts"
import type { Patch } from "./patch.ts"
import { planOf } from "./plan.ts"
import { patches } from "./readAfterWrite.ts"
import { isProxied, needsCaller } from "./rules.ts"
import { spanned } from "../../services/operators/spanned.ts"

const verbs = ["GET", "HEAD", "POST"] as const

/**
 * Rejects what is never proxied: 501 comes first, so a missing method doesn't look like missing
 * credentials.
 */
const assertProxied = Effect.fnUntraced(function* (nsid: string, request: Request) {
  if (!isProxied(nsid)) return yield* new MethodNotImplemented()
  const verb = verbs.find((one) => one === request.method)
  if (verb !== undefined) return verb
  return yield* new InvalidRequest({ message: "XRPC requests only supports GET and POST" })
})

/**
 * Forwards a method to the service that implements it, in the caller's name.
 *
 * The account's object authenticates and signs; the Worker waits for the service, and the caller's
 * credentials go no further than that object.
 */
export const proxy = spanned("proxy")(function* (nsid: string, asked: Request, url: URL) {
  const method = yield* assertProxied(nsid, asked)
  const authorization = asked.headers.get("authorization")
  const config = yield* Config
  if (authorization === null && !needsCaller(nsid, asked.headers.get("atproto-proxy"), config)) {
    return yield* new MethodNotImplemented()
  }
  const subject = yield* subjectOf(asked)
  yield* noteAccount(subject)
  const { target, request, ...audience } = yield* planOf(nsid, asked, url)
  const accounts = yield* Accounts
  const { did, rev, token } = yield* accounts.call(subject, "authorizeProxy", {
    ...credentialsOf(asked),
    ...audience,
    lxm: nsid
  })
  const endpoint = yield* (yield* ProxyTargets).endpointOf(target)
  const body = yield* passBody(request, config.blobLimit)
  const patch = method === "GET" ? patches.get(nsid) : undefined
  const answer = yield* ask(
    upward({ method, nsid, search: url.search, request, endpoint, token, body, patch })
  )
  const about = { nsid, request: asked, url, did, rev, endpoint, audience: target.did }
  return yield* finish(answer, patch, about)
})

/** The request as the service gets it. */
export const upward = ({
  method,
  nsid,
  search,
  request,
  endpoint,
  token,
  body,
  patch
}: {
  readonly method: Upward["method"]
  readonly nsid: string
  readonly search: string
  readonly request: Request
  readonly endpoint: string
  readonly token: string
  readonly body?: PassedBody | undefined
  readonly patch: Patch | undefined
}): Upward => {
  const headers = headersUp(request.headers, {
    token,
    hasBody: body !== undefined,
    isRead: patch !== undefined
  })
  const keepEncoding = headers["accept-encoding"] !== "identity"
  return { method, url: `${endpoint}/xrpc/${nsid}${search}`, headers, body, keepEncoding }
}

/** Patches a service's response, and passes it on in the protocol's form. */
export const finish = Effect.fnUntraced(function* (
  answer: OutgoingStream,
  patch: Patch | undefined,
  about: About
) {
  const final = patch === undefined ? answer : yield* consult(patch, about, answer)
  if (final instanceof Response) return final
  return yield* succeeded(final) ? passedAnswer(final) : failedAnswer(final)
})
