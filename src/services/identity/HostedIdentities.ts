import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import { didWebOf } from "../../core/identity/did.ts"
import {
  accountDidDocument,
  type DidDocument,
  hostDidDocument
} from "../../core/identity/didDocument.ts"
import { serviceDomainOf } from "../../core/identity/handle.ts"
import type { RepoNotFound } from "../accounts/AccountStore.ts"
import { Accounts, type AccountUnavailable } from "../accounts/Accounts.ts"
import { Config, type Settings } from "../host/Config.ts"
import { Directory, type DirectoryUnavailable } from "../accounts/Directory.ts"
import { PublicCache } from "../edge/PublicCache.ts"
import { isGivenHere } from "./HostedDidDocument.ts"

/** An account of this server. */
export interface HostedIdentity {
  readonly did: string
  /** Missing for did:plc, whose documents the PLC directory publishes. */
  readonly didDoc?: DidDocument
  /** True if it was found by an own-domain handle, which may resolve elsewhere by now. */
  readonly isClaimed?: boolean
}

/** Why a look-up among this server's accounts failed. */
export type HostedFailure = DirectoryUnavailable | AccountUnavailable | RepoNotFound

/** Looks up accounts of this server without asking the network. */
export class HostedIdentities extends Context.Service<
  HostedIdentities,
  {
    /** An account of this host, or the host itself, by DID or handle. */
    find(didOrHandle: string): Effect.Effect<HostedIdentity | undefined, HostedFailure>
    /** The did:web document that a hostname serves. */
    documentOfHost(host: string): Effect.Effect<DidDocument | undefined, HostedFailure>
    /** Whether only this server knows the handle: it is under one of its own domains. */
    isOwnHandle(handle: string): boolean
  }
>()("nacre/services/HostedIdentities") {}

const make = (
  config: Settings,
  accounts: Accounts["Service"],
  directory: Directory["Service"],
  edge: PublicCache["Service"]
): HostedIdentities["Service"] => {
  const ownDocument = (did: string) =>
    did === config.serviceDid ? hostDidDocument(did, config.publicUrl) : undefined

  /** The account's key, from the edge's cache or its object. */
  const signingKeyOf = Effect.fnUntraced(function* (did: string) {
    const { found, keep } = yield* edge.recall(did, "signing-key")
    if (found !== undefined) return yield* Effect.promise(() => found.text())
    const { shared, signingKey } = yield* accounts.call(did, "summary")
    if (shared) yield* keep(Effect.sync(() => new Response(signingKey)))
    return signingKey
  })

  /**
   * The document of a did:web account: its handle comes from the directory, its key from the
   * object.
   */
  const webDocument = Effect.fnUntraced(function* (did: string) {
    const entry = yield* directory.byDid(did)
    if (entry === undefined) return ownDocument(did)
    const signingKey = yield* signingKeyOf(did)
    return accountDidDocument({ did, handle: entry.handle, signingKey, pds: config.publicUrl })
  })

  const findDid = Effect.fnUntraced(function* (did: string) {
    if (did.startsWith("did:web:")) {
      const didDoc = yield* webDocument(did)
      return didDoc === undefined ? undefined : { did, didDoc }
    }
    const entry = yield* directory.byDid(did)
    return entry === undefined ? undefined : { did }
  })

  return HostedIdentities.of({
    find: Effect.fn("HostedIdentities.find")(function* (didOrHandle: string) {
      if (didOrHandle.startsWith("did:")) return yield* findDid(didOrHandle)
      const entry = yield* directory.byHandle(didOrHandle)
      if (entry === undefined) return undefined
      return { did: entry.did, isClaimed: !isGivenHere(entry.handle, config) }
    }),
    documentOfHost: Effect.fn("HostedIdentities.documentOfHost")(function* (host: string) {
      const document = yield* webDocument(didWebOf(host))
      // A service DID of another form is still published under this host's own name.
      return document ?? (host === config.host ? ownDocument(config.serviceDid) : undefined)
    }),
    isOwnHandle: (handle) =>
      serviceDomainOf(handle.toLowerCase(), config.handleDomains) !== undefined
  })
}

/** Finds hosted identities in the directory and the account objects. */
export const layer: Layer.Layer<
  HostedIdentities,
  never,
  Config | Accounts | Directory | PublicCache
> = Layer.effect(
  HostedIdentities,
  Effect.gen(function* () {
    return make(yield* Config, yield* Accounts, yield* Directory, yield* PublicCache)
  })
)
