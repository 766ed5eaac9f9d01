import * as Clock from "effect/Clock"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import { parseClientId } from "../../core/oauth/clientId.ts"
import { checkMetadata } from "../../core/oauth/clientMetadata.ts"
import { checkJwks } from "../../core/oauth/jwks.ts"
import type { Client, PublicJwk } from "../../core/oauth/types.ts"
import {
  ClientRefused,
  ClientUnavailable,
  OAuthClients
} from "../../services/oauth/OAuthClients.ts"
import { Outgoing, type OutgoingError } from "../../services/host/Outgoing.ts"
import { StaleCache } from "../host/StaleCache.ts"
import { spanned } from "../../services/operators/spanned.ts"

/** Options for finding clients. */
export interface OAuthClientsOptions {
  /** Development hosts that are exempt from the rules for public addresses. */
  readonly allowHosts?: ReadonlyArray<string>
  /** How many clients, and how many key sets, are cached. */
  readonly capacity?: number
}

type ClientError = ClientRefused | ClientUnavailable

const second = 1000
const minute = 60 * second

/**
 * Clients are cached for ten minutes and failures for fifteen seconds, so requests don't fetch the
 * same thing again and again.
 */
const foundFor = 10 * minute
const failedFor = 15 * second
/** Minimum time between two look-ups that bypass the cache. */
const freshEvery = 30 * second

const maxBytes = 256 * 1024
const maxCharacters = 4_000_000

const jsonTypes = ["application/json"]
const jwksTypes = [...jsonTypes, "application/jwk-set+json"]

const text = new TextDecoder()

/** Client ids in errors appear in logs, so they are shortened. */
const shown = (clientId: string): string => clientId.slice(0, 512)

const refuse = (
  clientId: string,
  reason: string,
  error: ClientRefused["error"] = "invalid_client_metadata"
) => new ClientRefused({ clientId: shown(clientId), error, reason })

/** What is fetched, and for which client. */
interface Asked {
  readonly clientId: string
  readonly name: "client metadata" | "key set"
  readonly url: URL
  readonly types: ReadonlyArray<string>
}

/** A definite no is the client's fault; any other failure may be temporary. */
const failureOf = ({ clientId, name }: Asked, error: OutgoingError): ClientError => {
  if (error._tag === "OutgoingRefused") {
    return refuse(clientId, `the ${name} cannot be fetched: ${error.reason}`)
  }
  const { operation, status = 0 } = error
  if (operation === "status" && status < 500 && status !== 408 && status !== 429) {
    return refuse(clientId, `the ${name} is answered with status ${status}`)
  }
  const why = operation === "status" ? `status ${status}` : operation
  return new ClientUnavailable({
    clientId: shown(clientId),
    reason: `the ${name} cannot be fetched just now: ${why}`
  })
}

/** A cache that keeps entries for this long without refreshing them. */
const memory = <A>(lifetime: number, entries: number) =>
  new StaleCache<A>(
    { stale: lifetime, expired: lifetime, retry: lifetime },
    { entries, weigh: (value) => JSON.stringify(value).length, weight: maxCharacters }
  )

/** Finds OAuth clients by their metadata documents on the web, cached in memory. */
export const layer = (options: OAuthClientsOptions): Layer.Layer<OAuthClients, never, Outgoing> =>
  Layer.effect(
    OAuthClients,
    Effect.map(Outgoing, (outgoing) => make(options, outgoing))
  )

const make = (
  { allowHosts = [], capacity = 1000 }: OAuthClientsOptions,
  outgoing: Outgoing["Service"]
): OAuthClients["Service"] => {
  const clients = memory<Client>(foundFor, capacity)
  const keySets = memory<ReadonlyArray<PublicJwk>>(foundFor, capacity)
  const failures = memory<ClientError>(failedFor, capacity)
  const asked = memory<true>(freshEvery, capacity)

  const fetchJson = Effect.fnUntraced(function* (
    what: Asked
  ): Effect.fn.Return<unknown, ClientError> {
    const { clientId, name, types, url } = what
    const { body, headers, status } = yield* outgoing
      .request(url.href, { accept: types.join(", "), maxBytes, timeout: "5 seconds" })
      .pipe(Effect.mapError((error) => failureOf(what, error)))
    if (status !== 200) {
      return yield* refuse(clientId, `the ${name} is answered with status ${status}`)
    }
    const type = headers.get("content-type")?.split(";", 1)[0]?.trim().toLowerCase() ?? ""
    if (!types.includes(type)) {
      return yield* refuse(clientId, `the ${name} has another content type than application/json`)
    }
    return yield* Effect.try({
      try: (): unknown => JSON.parse(text.decode(body)),
      catch: () => refuse(clientId, `the ${name} is not JSON`)
    })
  })

  /** The cached value, or a new one; `fresh` bypasses the cache, with a rate limit. */
  const remembered = Effect.fnUntraced(function* <A>(
    cache: StaleCache<A>,
    key: string,
    fresh: boolean,
    find: Effect.Effect<A, ClientError>
  ): Effect.fn.Return<A, ClientError> {
    const now = yield* Clock.currentTimeMillis
    const hit = cache.get(key, now)
    const isAskedAlready = asked.get(key, now) !== undefined
    if (hit !== undefined && (!fresh || isAskedAlready)) return hit.value
    const failure = failures.get(key, now)
    if (failure !== undefined) return yield* failure.value
    asked.set(key, true, now, asked.begin())
    const remember = Effect.fnUntraced(function* (error: ClientError) {
      failures.set(key, error, yield* Clock.currentTimeMillis, failures.begin())
    })
    const value = yield* find.pipe(Effect.tapError(remember))
    cache.set(key, value, yield* Clock.currentTimeMillis, cache.begin())
    return value
  })

  const findClient = Effect.fnUntraced(function* (
    clientId: string,
    fresh: boolean
  ): Effect.fn.Return<Client, ClientError> {
    const parsed = yield* Effect.mapError(
      Effect.fromResult(parseClientId(clientId, allowHosts)),
      (reason) => refuse(clientId, reason, "invalid_client")
    )
    if (parsed.kind === "loopback") return parsed.client
    const { url } = parsed
    const find = Effect.gen(function* () {
      const json = yield* fetchJson({ clientId, name: "client metadata", url, types: jsonTypes })
      return yield* Effect.mapError(
        Effect.fromResult(checkMetadata(url, json, allowHosts)),
        ({ error, reason }) => refuse(clientId, reason, error)
      )
    })
    return yield* remembered(clients, clientId, fresh, find)
  })

  const fetchKeys = (clientId: string, jwksUri: string, fresh: boolean) => {
    const find = Effect.gen(function* () {
      const url = new URL(jwksUri)
      const json = yield* fetchJson({ clientId, name: "key set", url, types: jwksTypes })
      return yield* Effect.mapError(Effect.fromResult(checkJwks(json)), (reason) =>
        refuse(clientId, reason)
      )
    })
    return remembered(keySets, `${clientId} ${jwksUri}`, fresh, find)
  }

  return OAuthClients.of({
    get: Effect.fn("OAuthClients.get")((clientId) => findClient(clientId, false)),
    keys: spanned("OAuthClients.keys")(function* (client, options) {
      const fresh = options?.fresh === true
      // Keys in the document are as fresh as the document.
      const { jwks, jwksUri } =
        fresh && client.jwks !== undefined ? yield* findClient(client.id, true) : client
      if (jwks !== undefined) return jwks.keys
      return jwksUri === undefined ? [] : yield* fetchKeys(client.id, jwksUri, fresh)
    })
  })
}
