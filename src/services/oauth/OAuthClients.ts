import * as Context from "effect/Context"
import type * as Effect from "effect/Effect"
import * as Schema from "effect/Schema"
import type { Client, PublicJwk } from "../../core/oauth/types.ts"

/** The client id or its metadata violates a rule; its developer may see `reason`. */
export class ClientRefused extends Schema.TaggedError<ClientRefused>()("ClientRefused", {
  clientId: Schema.String,
  error: Schema.Literals(["invalid_client", "invalid_client_metadata", "invalid_redirect_uri"]),
  reason: Schema.String
}) {}

/** The client's metadata or keys can't be fetched now. */
export class ClientUnavailable extends Schema.TaggedError<ClientUnavailable>()(
  "ClientUnavailable",
  { clientId: Schema.String, reason: Schema.String }
) {}

type ClientError = ClientRefused | ClientUnavailable

/**
 * Finds OAuth clients by id: metadata documents on the web, or loopback clients for development.
 */
export class OAuthClients extends Context.Service<
  OAuthClients,
  {
    /** The validated client; up to ten minutes old. */
    get(clientId: string): Effect.Effect<Client, ClientError>
    /** The public keys of a confidential client; `fresh` bypasses the cache, for a new key. */
    keys(
      client: Client,
      options?: { readonly fresh?: boolean }
    ): Effect.Effect<ReadonlyArray<PublicJwk>, ClientError>
  }
>()("nacre/services/OAuthClients") {}
