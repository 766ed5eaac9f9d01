import * as Context from "effect/Context"
import type * as Effect from "effect/Effect"
import * as Schema from "effect/Schema"
import type { ServiceAddress } from "../host/Config.ts"
import type { IdentityUnavailable } from "../identity/Identity.ts"

/** Requests cannot be proxied to this service. */
export class ProxyTargetRefused extends Schema.TaggedError<ProxyTargetRefused>()(
  "ProxyTargetRefused",
  {
    reason: Schema.Literals(["unknown did", "no service", "not public", "this server"])
  }
) {}

/** There is no feed generator at this URI. */
export class UnknownFeed extends Schema.TaggedError<UnknownFeed>()("UnknownFeed", {
  feed: Schema.String
}) {}

/** A service's response is missing or unusable. */
export class UpstreamFailed extends Schema.TaggedError<UpstreamFailed>()("UpstreamFailed", {
  reason: Schema.Literals(["unreachable", "too slow", "refused"])
}) {}

/** Finds where requests for other services go. */
export class ProxyTargets extends Context.Service<
  ProxyTargets,
  {
    /** The origin of a service, from the configuration or its DID document. */
    endpointOf(
      service: Pick<ServiceAddress, "did" | "service">
    ): Effect.Effect<string, ProxyTargetRefused | IdentityUnavailable>
    /** The origin of a configured service, which needs no waiting; undefined for all others. */
    endpointNow(service: Pick<ServiceAddress, "did" | "service">): string | undefined
    /** The DID of a feed's generator (`at://…/app.bsky.feed.generator/…`). */
    generatorOf(
      feed: string
    ): Effect.Effect<string, UnknownFeed | UpstreamFailed | IdentityUnavailable>
  }
>()("nacre/services/ProxyTargets") {}
