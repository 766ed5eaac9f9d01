import * as Effect from "effect/Effect"
import * as Result from "effect/Result"
import { isSupportedDid } from "../../core/identity/did.ts"
import { queryValue } from "../../core/lexicon/params.ts"
import { Config } from "../../services/host/Config.ts"
import { KnownLexicons } from "../../services/host/KnownLexicons.ts"
import { HostedIdentities } from "../../services/identity/HostedIdentities.ts"
import { isServedHere } from "../../services/identity/HostedDidDocument.ts"
import { ProxyTargets, UpstreamFailed } from "../../services/proxy/ProxyTargets.ts"
import type { Failure } from "../errors.ts"
import { invalid } from "../Xrpc.ts"
import { isJson, parseJson } from "./bodies.ts"
import { ask, failedAnswer, passedAnswer, succeeded } from "./exchange.ts"

const nsid = "com.atproto.repo.getRecord"

const parameters = ["repo", "collection", "rkey", "cid"]

/**
 * Whether a name could be an account's on another server: only this server knows the names it
 * assigns.
 */
const isForeign = Effect.fnUntraced(function* (repo: string) {
  return repo.startsWith("did:")
    ? isSupportedDid(repo) && !isServedHere(repo, yield* Config)
    : !(yield* HostedIdentities).isOwnHandle(repo)
})

const ofAppView = Effect.fn("proxy.foreignRecord")(function* (request: Request, url: URL) {
  const { appView } = yield* Config
  const known = parameters.flatMap((name): Array<[string, string]> => {
    const value = queryValue(url.searchParams, name)
    return value === undefined ? [] : [[name, value]]
  })
  const repo = queryValue(url.searchParams, "repo")
  if (appView === undefined || repo === undefined || !(yield* isForeign(repo))) return undefined
  const parsed = (yield* KnownLexicons).parseParams(nsid, url.searchParams)
  if (Result.isFailure(parsed)) return yield* invalid(parsed.failure)
  const endpoint = yield* (yield* ProxyTargets).endpointOf(appView)
  const answer = yield* ask({
    method: request.method === "HEAD" ? "HEAD" : "GET",
    url: `${endpoint}/xrpc/${nsid}?${new URLSearchParams(known)}`,
    headers: { accept: "application/json", "accept-encoding": "identity" },
    keepEncoding: false
  })
  if (!succeeded(answer)) return yield* failedAnswer(answer)
  if (isJson(answer.headers)) return yield* passedAnswer(answer)
  yield* Effect.ignore(Effect.tryPromise(() => answer.body?.cancel() ?? Promise.resolve()))
  return yield* new UpstreamFailed({ reason: "refused" })
})

const notHere = "RepoNotFound"

/** Whether an error's body says that the repo is not here. */
const saysNotHere = (body: unknown): boolean =>
  typeof body === "object" && body !== null && "error" in body && body.error === notHere

/**
 * com.atproto.repo.getRecord for a repo that is not here, from the AppView; anything else, such as
 * every other method that was `called`, comes from `local`.
 *
 * Sends no credentials, because records are public.
 */
export const orOfAppView = <R>(
  called: string,
  local: Effect.Effect<Response, Failure, R>,
  request: Request,
  url: URL
) =>
  called === nsid
    ? Effect.flatMap(Effect.result(local), (answered) =>
        // Most records are here, and take no further step.
        Result.isSuccess(answered) && answered.success.status !== 400
          ? Effect.succeed(answered.success)
          : orForeign(answered, request, url)
      )
    : local

const orForeign = Effect.fnUntraced(function* (
  answered: Result.Result<Response, Failure>,
  request: Request,
  url: URL
) {
  if (Result.isFailure(answered)) {
    const { failure } = answered
    const other = failure._tag === notHere ? yield* ofAppView(request, url) : undefined
    return other ?? (yield* failure)
  }
  const { success } = answered
  const bytes = new Uint8Array(yield* Effect.promise(() => success.arrayBuffer()))
  const body = yield* Effect.orElseSucceed(parseJson(bytes), () => undefined)
  const other = saysNotHere(body) ? yield* ofAppView(request, url) : undefined
  return other ?? new Response(bytes, success)
})
