import * as Context from "effect/Context"
import type * as Effect from "effect/Effect"
import type { HostClaim } from "../../core/stream/relayReport.ts"

/** What relays say about this server (com.atproto.sync.getHostStatus, getRepoStatus); never fails. */
export class RelayStatus extends Context.Service<
  RelayStatus,
  {
    host(relay: string): Effect.Effect<HostClaim>
    /** An account's status there; undefined if the relay doesn't say. */
    repo(relay: string, did: string): Effect.Effect<string | undefined>
  }
>()("nacre/services/RelayStatus") {}
