import * as Clock from "effect/Clock"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Option from "effect/Option"
import { didMethod, didWebUrl } from "../../core/identity/did.ts"
import {
  type DidDocument,
  handleOf,
  InvalidDidDocument,
  maxDidDocumentBytes,
  parseDidDocument,
  signingKeyOf
} from "../../core/identity/didDocument.ts"
import { invalidHandle } from "../../core/identity/handle.ts"
import { normalizeHandle } from "../../core/lexicon/syntax.ts"
import { Background } from "../../services/host/Background.ts"
import {
  type DidError,
  DidNotFound,
  Identity,
  IdentityUnavailable,
  KeyNotFound,
  type ResolveOptions
} from "../../services/identity/Identity.ts"
import { Outgoing } from "../../services/host/Outgoing.ts"
import { PlcDirectory } from "../../services/identity/PlcDirectory.ts"
import { lookupHandle } from "./handleLookup.ts"
import { StaleCache } from "../host/StaleCache.ts"

/** An account of this server, known without asking the network. */
export interface KnownLocally {
  readonly did: string
  /** Missing if another service publishes the document (did:plc). */
  readonly didDoc?: DidDocument
  /**
   * True for an own-domain handle: only the network knows whether it still resolves to this
   * account.
   */
  readonly isClaimed?: boolean
}

/** Options of the resolver. */
export interface IdentityResolverOptions {
  /** A DNS-over-HTTPS service with JSON responses. */
  readonly dohUrl?: string
  readonly allowHosts?: ReadonlyArray<string>
  /**
   * Asked first, with every DID and every (normalized) handle; fails if only this server could know but can't look it up now.
   */
  readonly local?: (
    didOrHandle: string
  ) => Effect.Effect<Option.Option<KnownLocally>, IdentityUnavailable>
  /** How many DIDs and how many handles are cached. */
  readonly capacity?: number
  /** How many characters of documents are cached. */
  readonly documentCharacters?: number
}

const minute = 60_000

/**
 * Entries are fresh for an hour and usable for a day; a failing refresh is retried after a minute.
 */
const limits = { stale: 60 * minute, expired: 24 * 60 * minute, retry: minute }

/**
 * Resolves identities with the PLC directory, did:web, DNS over HTTPS and well-known files; caches
 * in memory.
 */
export const layer = (
  options: IdentityResolverOptions = {}
): Layer.Layer<Identity, never, Outgoing | PlcDirectory | Background> =>
  Layer.effect(
    Identity,
    Effect.gen(function* () {
      return make(options, yield* Outgoing, yield* PlcDirectory, yield* Background)
    })
  )

const make = (
  {
    dohUrl = "https://cloudflare-dns.com/dns-query",
    allowHosts = [],
    local = () => Effect.succeedNone,
    capacity = 5000,
    documentCharacters = 8_000_000
  }: IdentityResolverOptions,
  outgoing: Outgoing["Service"],
  plc: PlcDirectory["Service"],
  background: Background["Service"]
): Identity["Service"] => {
  const documents = new StaleCache<DidDocument>(limits, {
    entries: capacity,
    weigh: (document) => JSON.stringify(document).length,
    weight: documentCharacters
  })
  const handles = new StaleCache<string>(limits, {
    entries: capacity,
    weigh: (did) => did.length,
    weight: 2_000_000
  })
  const fetchHandle = lookupHandle(outgoing, { dohUrl, allowHosts })

  const fetchWeb = Effect.fnUntraced(function* (
    did: string,
    url: string
  ): Effect.fn.Return<DidDocument, DidError> {
    const response = yield* outgoing
      .request(url, {
        accept: "application/did+ld+json, application/json",
        maxBytes: maxDidDocumentBytes,
        timeout: "3 seconds",
        allowStatus: [404, 410]
      })
      .pipe(
        Effect.catchTags({
          OutgoingRefused: () => Effect.fail(new DidNotFound({ did })),
          OutgoingFailed: (cause) => Effect.fail(new IdentityUnavailable({ subject: did, cause }))
        })
      )
    if (response.status >= 400) return yield* new DidNotFound({ did })
    return yield* Effect.try({
      try: () => parseDidDocument(did, JSON.parse(new TextDecoder().decode(response.body))),
      catch: () => new DidNotFound({ did })
    })
  })

  const fetchDid = (did: string): Effect.Effect<DidDocument, DidError> => {
    const method = didMethod(did)
    const url = didWebUrl(did)
    if (method === "web" && url !== undefined) return fetchWeb(did, url)
    if (method === undefined) return Effect.fail(new DidNotFound({ did }))
    return plc
      .document(did)
      .pipe(
        Effect.catchTag("PlcUnavailable", ({ cause }) =>
          Effect.fail(
            cause instanceof InvalidDidDocument
              ? new DidNotFound({ did })
              : new IdentityUnavailable({ subject: did, cause })
          )
        )
      )
  }

  /** Resolves and caches; drops the cached value if it no longer exists. */
  const renew = Effect.fnUntraced(function* <A, E extends { readonly _tag: string }>(
    cache: StaleCache<A>,
    key: string,
    fetch: (key: string) => Effect.Effect<A, E>
  ) {
    const begun = cache.begin()
    const value = yield* fetch(key).pipe(
      Effect.tapError((error) =>
        Effect.sync(() => {
          if (error._tag !== "IdentityUnavailable") cache.forget(key)
        })
      )
    )
    cache.set(key, value, yield* Clock.currentTimeMillis, begun)
    return value
  })

  const cached = Effect.fnUntraced(function* <A, E extends { readonly _tag: string }>(
    cache: StaleCache<A>,
    key: string,
    fetch: (key: string) => Effect.Effect<A, E>,
    options: ResolveOptions | undefined
  ) {
    if (options?.fresh !== true) {
      const hit = cache.get(key, yield* Clock.currentTimeMillis)
      if (hit?.refresh === true) {
        yield* background.run(Effect.ignore(renew(cache, key, fetch)))
      }
      if (hit !== undefined) return hit.value
    }
    return yield* renew(cache, key, fetch)
  })

  const resolveDid = Effect.fn("Identity.resolveDid")(function* (
    did: string,
    options?: ResolveOptions
  ) {
    const known = yield* local(did)
    if (Option.isSome(known) && known.value.didDoc !== undefined) return known.value.didDoc
    return yield* cached(documents, did, fetchDid, options)
  })

  const resolveHandle = Effect.fn("Identity.resolveHandle")(function* (
    input: string,
    options?: ResolveOptions
  ) {
    const handle = normalizeHandle(input)
    const known = yield* local(handle)
    const isToBeProven = Option.isSome(known) && known.value.isClaimed && options?.fresh === true
    if (Option.isSome(known) && !isToBeProven) return known.value.did
    return yield* cached(handles, handle, fetchHandle, options)
  })

  return Identity.of({
    resolveDid,
    documentNow: (did, now) => documents.fresh(did, now),
    resolveHandle,
    signingKey: Effect.fn("Identity.signingKey")(function* (did, options) {
      const id = options?.id ?? "atproto"
      const key = signingKeyOf(yield* resolveDid(did, options), id)
      return key ?? (yield* new KeyNotFound({ did, id }))
    }),
    resolveIdentity: Effect.fn("Identity.resolveIdentity")(function* (didOrHandle, options) {
      const given = didOrHandle.startsWith("did:") ? undefined : normalizeHandle(didOrHandle)
      const did = given === undefined ? didOrHandle : yield* resolveHandle(given, options)
      const didDoc = yield* resolveDid(did, options)
      const claimed = handleOf(didDoc)
      if (claimed === undefined) return { did, handle: invalidHandle, didDoc }
      if (claimed === given) return { did, handle: claimed, didDoc }
      const owner = yield* resolveHandle(claimed, options).pipe(
        Effect.orElseSucceed(() => undefined)
      )
      return { did, handle: owner === did ? claimed : invalidHandle, didDoc }
    }),
    forget: (didOrHandle) =>
      Effect.sync(() => {
        documents.forget(didOrHandle)
        handles.forget(normalizeHandle(didOrHandle))
      })
  })
}
