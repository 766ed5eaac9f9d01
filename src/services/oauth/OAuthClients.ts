import * as Context from "effect/Context"
import type * as Effect from "effect/Effect"
import * as Schema from "effect/Schema"
import type { Client, PublicJwk } from "../../core/oauth/types.ts"

/** The client id, or what stands behind it, breaks a rule; `reason` may be shown to its developer. */
export class ClientRefused extends Schema.TaggedError<ClientRefused>()("ClientRefused", {
  clientId: Schema.String,
  error: Schema.Literals(["invalid_client", "invalid_client_metadata", "invalid_redirect_uri"]),
  reason: Schema.String
}) {}

/** The client's metadata or keys could not be fetched just now. */
export class ClientUnavailable extends Schema.TaggedError<ClientUnavailable>()(
  "ClientUnavailable",
  { clientId: Schema.String, reason: Schema.String }
) {}

type ClientError = ClientRefused | ClientUnavailable

/** Finds OAuth clients by their ids: metadata documents on the web, or loopback development clients. */
export class OAuthClients extends Context.Service<
  OAuthClients,
  {
    /** The client, checked in full; may be ten minutes old. */
    get(clientId: string): Effect.Effect<Client, ClientError>
    /** The public keys of a confidential client; `fresh` asks past what is remembered (a key just rotated in). */
    keys(
      client: Client,
      options?: { readonly fresh?: boolean }
    ): Effect.Effect<ReadonlyArray<PublicJwk>, ClientError>
  }
>()("nacre/services/OAuthClients") {}
