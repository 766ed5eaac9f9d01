import * as Effect from "effect/Effect"
import * as Result from "effect/Result"
import { isSupportedDid } from "../../core/identity/did.ts"
import { queryValue } from "../../core/lexicon/params.ts"
import { Config, type Settings } from "../../services/host/Config.ts"
import { ProxyTargets } from "../../services/proxy/ProxyTargets.ts"
import { InvalidRequest, MethodNotImplemented } from "../../services/failures.ts"
import { readBody } from "../input.ts"
import { parseJson } from "./bodies.ts"
import { defaultService, nameOf, readProxyHeader, type ServiceName } from "./rules.ts"

/** Where a request goes, and the claims of its token. */
export interface Plan {
  readonly target: ServiceName
  /** The audience for which an app needs the permission. */
  readonly aud: string
  readonly tokenAud: string
  readonly tokenLxm?: string
  /** The request with an unread body. */
  readonly request: Request
}

/**
 * The plan for a normally called service.
 *
 * The token's `aud` is the bare DID, because current services don't understand the specification's
 * `did#service` yet. Permissions are checked with the service all the same.
 */
const planFor = (target: ServiceName, request: Request): Plan => ({
  target,
  aud: nameOf(target),
  tokenAud: target.did,
  request
})

/** The service that the caller names, or else the method's default. */
const serviceFor = Effect.fnUntraced(function* (nsid: string, request: Request) {
  return yield* Effect.fromResult(serviceNow(nsid, request, yield* Config))
})

const serviceNow = (
  nsid: string,
  request: Request,
  config: Settings
): Result.Result<ServiceName, InvalidRequest | MethodNotImplemented> => {
  const header = request.headers.get("atproto-proxy")
  return header === null
    ? Result.fromNullishOr(defaultService(nsid, config), () => new MethodNotImplemented())
    : Result.mapError(readProxyHeader(header), (message) => new InvalidRequest({ message }))
}

/** app.bsky.feed.getFeed goes to the AppView, with a token for the feed's generator. */
const getFeed = Effect.fnUntraced(function* (nsid: string, request: Request, url: URL) {
  const target = yield* serviceFor(nsid, request)
  const feed = queryValue(url.searchParams, "feed")
  if (feed === undefined) return yield* new InvalidRequest({ message: "feed: is required" })
  const tokenAud = yield* (yield* ProxyTargets).generatorOf(feed)
  const tokenLxm = "app.bsky.feed.getFeedSkeleton"
  return { ...planFor(target, request), tokenAud, tokenLxm } satisfies Plan
})

const isServiceDid = (value: unknown): value is { readonly serviceDid: string } =>
  typeof value === "object" &&
  value !== null &&
  "serviceDid" in value &&
  typeof value.serviceDid === "string" &&
  isSupportedDid(value.serviceDid)

/** registerPush and unregisterPush go to the notification service in their body. */
const push = Effect.fnUntraced(function* (_: string, request: Request) {
  const { appView, jsonLimit } = yield* Config
  const bytes = yield* readBody(request, jsonLimit)
  const input = yield* Effect.orElseSucceed(parseJson(bytes), () => undefined)
  if (!isServiceDid(input)) {
    return yield* new InvalidRequest({ message: "Input/serviceDid: must be the DID of a service" })
  }
  const headers = new Headers(request.headers)
  headers.delete("content-encoding")
  headers.set("content-length", String(bytes.byteLength))
  const again = new Request(request.url, { method: request.method, headers, body: bytes })
  const notifier = { did: input.serviceDid, service: "bsky_notif" }
  const plan = planFor(notifier, again)
  // The AppView accepts them itself, even if its document doesn't list the service.
  return input.serviceDid === appView?.did ? { ...plan, target: appView } : plan
})

const usual = Effect.fnUntraced(function* (nsid: string, request: Request) {
  return planFor(yield* serviceFor(nsid, request), request)
})

const special = new Map<string, typeof getFeed | typeof push>([
  ["app.bsky.feed.getFeed", getFeed],
  ["app.bsky.notification.registerPush", push],
  ["app.bsky.notification.unregisterPush", push]
])

/** The same without waiting; undefined for the methods with a plan of their own, and for failures. */
export const planNow = (nsid: string, request: Request, config: Settings): Plan | undefined => {
  if (special.has(nsid)) return undefined
  const target = Result.getOrUndefined(serviceNow(nsid, request, config))
  return target && planFor(target, request)
}

/** Determines the service and the token for a method. */
export const planOf = (nsid: string, request: Request, url: URL) =>
  (special.get(nsid) ?? usual)(nsid, request, url)
