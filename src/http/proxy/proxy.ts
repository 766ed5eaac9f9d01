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

const verbs = ["GET", "HEAD", "POST"] as const

/** Rejects what the proxy never sends on: 501 comes first, so that nobody takes a method for one that wants credentials. */
const assertProxied = Effect.fnUntraced(function* (nsid: string, request: Request) {
  if (!isProxied(nsid)) return yield* new MethodNotImplemented()
  const verb = verbs.find((one) => one === request.method)
  if (verb !== undefined) return verb
  return yield* new InvalidRequest({ message: "XRPC requests only supports GET and POST" })
})

/**
 * Hands a method that is not this server's on to the service that has it, in the name of the caller.
 *
 * The account's object judges the caller and signs; the waiting for the service is done here, and nothing that the
 * caller shows goes further than to that object.
 */
export const proxy = Effect.fn("proxy")(function* (nsid: string, asked: Request, url: URL) {
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
