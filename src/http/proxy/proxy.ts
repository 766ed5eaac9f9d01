import * as Effect from "effect/Effect"
import { Accounts } from "../../services/accounts/Accounts.ts"
import { Config } from "../../services/host/Config.ts"
import { ProxyTargets } from "../../services/proxy/ProxyTargets.ts"
import { InvalidRequest, MethodNotImplemented } from "../../services/failures.ts"
import { noteAccount } from "../CurrentRequest.ts"
import { subjectOf } from "../accounts/accountOf.ts"
import { credentialsOf } from "../Xrpc.ts"
import { passBody } from "./bodies.ts"
import { consult } from "./consult.ts"
import { ask, failedAnswer, passedAnswer, succeeded } from "./exchange.ts"
import { headersUp } from "./headers.ts"
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
  const headers = headersUp(request.headers, {
    token,
    hasBody: body !== undefined,
    isRead: patch !== undefined
  })
  const answer = yield* ask({
    method,
    url: `${endpoint}/xrpc/${nsid}${url.search}`,
    headers,
    body,
    keepEncoding: headers["accept-encoding"] !== "identity"
  })
  const final =
    patch === undefined
      ? answer
      : yield* consult(
          patch,
          { nsid, request: asked, url, did, rev, endpoint, audience: target.did },
          answer
        )
  if (final instanceof Response) return final
  return yield* succeeded(final) ? passedAnswer(final) : failedAnswer(final)
})
