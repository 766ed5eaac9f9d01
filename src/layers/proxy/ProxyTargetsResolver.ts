import * as Clock from "effect/Clock"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Result from "effect/Result"
import { checkFetchUrl } from "../../core/identity/address.ts"
import { isSupportedDid } from "../../core/identity/did.ts"
import { isOwnHost } from "../../core/identity/ownHost.ts"
import { pdsOf, serviceOf } from "../../core/identity/didDocument.ts"
import { parseAtUri } from "../../core/lexicon/syntax.ts"
import { Background } from "../../services/host/Background.ts"
import { Config, type ServiceAddress, type Settings } from "../../services/host/Config.ts"
import { Identity } from "../../services/identity/Identity.ts"
import { Outgoing } from "../../services/host/Outgoing.ts"
import {
  ProxyTargetRefused,
  ProxyTargets,
  UnknownFeed,
  UpstreamFailed
} from "../../services/proxy/ProxyTargets.ts"
import { StaleCache } from "../host/StaleCache.ts"
import { spanned } from "../../services/operators/spanned.ts"

const minute = 60_000

/** Generators rarely move; a deleted feed is requested in vain for as long. */
const limits = { stale: 10 * minute, expired: 24 * 60 * minute, retry: minute }

const collection = "app.bsky.feed.generator"

/** The origin of a DID document's entry, if it is nothing but an origin. */
const bareOrigin = (endpoint: string, allowHosts: ReadonlyArray<string>): string | undefined => {
  const checked = checkFetchUrl(endpoint, allowHosts)
  if (Result.isFailure(checked)) return undefined
  const { pathname, search, hash, origin } = checked.success
  return pathname === "/" && search === "" && hash === "" ? origin : undefined
}

/** The DID in getRecord's response for a feed generator. */
const generatorDid = (body: Uint8Array): string | undefined => {
  try {
    // Another shape is not a feed generator's record.
    const { value } = JSON.parse(new TextDecoder().decode(body)) as {
      readonly value?: { readonly did?: unknown }
    }
    return typeof value?.did === "string" && isSupportedDid(value.did) ? value.did : undefined
  } catch {
    return undefined
  }
}

const make = (
  settings: Settings,
  identity: Identity["Service"],
  outgoing: Outgoing["Service"],
  background: Background["Service"]
): ProxyTargets["Service"] => {
  const { appView, chatService, modService, reportService, devAllowHosts, serviceDid } = settings
  const configured = [appView, chatService, modService, reportService]
  const generators = new StaleCache<string>(limits, {
    entries: 5000,
    weigh: (did) => did.length,
    weight: 2_000_000
  })

  const configuredUrl = ({ did, service }: Pick<ServiceAddress, "did" | "service">) =>
    configured.find((one) => one?.did === did && one.service === service)?.url

  /** The origin of a service's endpoint, if requests may be sent there. */
  const originOf = (endpoint: string, did: string): Result.Result<string, ProxyTargetRefused> => {
    const origin = bareOrigin(endpoint, devAllowHosts)
    if (origin === undefined) return Result.fail(new ProxyTargetRefused({ reason: "not public" }))
    const { host, hostname } = new URL(origin)
    const isOther =
      devAllowHosts.includes(host) ||
      devAllowHosts.includes(hostname) ||
      configured.some((one) => one?.did === did)
    const isOwn = host === settings.host || (!isOther && isOwnHost(host, settings))
    return isOwn
      ? Result.fail(new ProxyTargetRefused({ reason: "this server" }))
      : Result.succeed(origin)
  }

  const documentOf = (did: string) =>
    identity.resolveDid(did).pipe(
      Effect.catchTags({
        DidNotFound: () => Effect.fail(new ProxyTargetRefused({ reason: "unknown did" })),
        DidDeactivated: () => Effect.fail(new ProxyTargetRefused({ reason: "unknown did" }))
      })
    )

  const endpointOf: ProxyTargets["Service"]["endpointOf"] = spanned("ProxyTargets.endpointOf")(
    function* ({ did, service }) {
      if (did === serviceDid) return yield* new ProxyTargetRefused({ reason: "this server" })
      const known = configuredUrl({ did, service })
      const endpoint = known ?? serviceOf(yield* documentOf(did), service)
      if (endpoint === undefined) return yield* new ProxyTargetRefused({ reason: "no service" })
      return yield* Effect.fromResult(originOf(endpoint, did))
    }
  )

  /** The origins of configured services, which only the settings change. */
  const origins = new Map<string, string | undefined>()
  for (const one of configured) {
    const url = one === undefined || one.did === serviceDid ? undefined : configuredUrl(one)
    if (one === undefined || url === undefined) continue
    origins.set(`${one.did}#${one.service}`, Result.getOrUndefined(originOf(url, one.did)))
  }

  /** The service with a feed's record: the AppView, or without one the author's host. */
  const keeperOf = Effect.fnUntraced(function* (author: string) {
    if (appView !== undefined) return yield* endpointOf(appView)
    const { didDoc } = yield* identity.resolveIdentity(author)
    return bareOrigin(pdsOf(didDoc) ?? "", devAllowHosts)
  })

  const lookUp = Effect.fnUntraced(function* (feed: string) {
    const unknown = new UnknownFeed({ feed: feed.slice(0, 512) })
    const parts = parseAtUri(feed)
    if (parts?.collection !== collection || parts.rkey === undefined) return yield* unknown
    const origin = yield* keeperOf(parts.authority).pipe(
      Effect.catchTags({
        DidNotFound: () => unknown,
        DidDeactivated: () => unknown,
        HandleNotFound: () => unknown,
        ProxyTargetRefused: () => Effect.fail(new UpstreamFailed({ reason: "unreachable" }))
      })
    )
    if (origin === undefined) return yield* unknown
    const query = new URLSearchParams({ repo: parts.authority, collection, rkey: parts.rkey })
    const answer = yield* outgoing
      .request(`${origin}/xrpc/com.atproto.repo.getRecord?${query}`, {
        accept: "application/json",
        maxBytes: 256 * 1024,
        timeout: "5 seconds",
        allowStatus: [400, 404]
      })
      .pipe(Effect.mapError(() => new UpstreamFailed({ reason: "unreachable" })))
    const did = answer.status === 200 ? generatorDid(answer.body) : undefined
    return did ?? (yield* unknown)
  })

  const renew = Effect.fnUntraced(function* (feed: string) {
    const begun = generators.begin()
    const did = yield* lookUp(feed)
    generators.set(feed, did, yield* Clock.currentTimeMillis, begun)
    return did
  })

  return ProxyTargets.of({
    endpointOf,
    endpointNow: ({ did, service }) => origins.get(`${did}#${service}`),
    generatorOf: spanned("ProxyTargets.generatorOf")(function* (feed) {
      const hit = generators.get(feed, yield* Clock.currentTimeMillis)
      if (hit === undefined) return yield* renew(feed)
      if (hit.refresh) yield* background.run(Effect.ignore(renew(feed)))
      return hit.value
    })
  })
}

/** Finds services in the configuration and DID documents, and feeds by their records. */
export const layer: Layer.Layer<ProxyTargets, never, Config | Identity | Outgoing | Background> =
  Layer.effect(
    ProxyTargets,
    Effect.gen(function* () {
      return make(yield* Config, yield* Identity, yield* Outgoing, yield* Background)
    })
  )
