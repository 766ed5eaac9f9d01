import type {
  ComAtprotoIdentityRefreshIdentity as RefreshIdentity,
  ComAtprotoIdentityResolveDid as ResolveDid,
  ComAtprotoIdentityResolveHandle as ResolveHandle,
  ComAtprotoIdentityResolveIdentity as ResolveIdentity
} from "@atproto/api"
import * as Effect from "effect/Effect"
import { normalizeHandle } from "../../core/lexicon/syntax.ts"
import { Accounts } from "../../services/accounts/Accounts.ts"
import { Config } from "../../services/host/Config.ts"
import { Directory } from "../../services/accounts/Directory.ts"
import { HostedIdentities } from "../../services/identity/HostedIdentities.ts"
import {
  DidNotFound,
  HandleNotFound,
  Identity,
  IdentityUnavailable
} from "../../services/identity/Identity.ts"
import { isGivenHere } from "../../services/identity/HostedDidDocument.ts"
import { takePoint } from "../limits/clientLimits.ts"
import { type Call, method } from "../Xrpc.ts"

const open = { authority: { kind: "none" } } as const

const nameNotFound = ({ subject, cause }: IdentityUnavailable) =>
  !subject.startsWith("did:")
    ? new HandleNotFound({ handle: subject })
    : subject.startsWith("did:web:")
      ? new DidNotFound({ did: subject })
      : new IdentityUnavailable({ subject, cause })

/**
 * A name whose own host cannot be reached does not resolve, as far as its asker can tell: the methods' lexicons have
 * no other error. A did:plc that cannot be looked up is another matter: that is this server's own directory failing.
 */
const orNotFound = <A, E, R>(resolving: Effect.Effect<A, E | IdentityUnavailable, R>) =>
  Effect.mapError(resolving, (error) =>
    error instanceof IdentityUnavailable ? nameNotFound(error) : error
  )

/** The DID of a handle: accounts here first; what is ours and unknown is asked of nobody else. */
const didOf = Effect.fnUntraced(function* (text: string) {
  const handle = normalizeHandle(text)
  const hosted = yield* HostedIdentities
  const account = yield* hosted.find(handle)
  if (account !== undefined) return account.did
  if (hosted.isOwnHandle(handle)) return yield* new HandleNotFound({ handle })
  const identity = yield* Identity
  return yield* identity.resolveHandle(handle)
})

const documentOf = Effect.fnUntraced(function* (did: string) {
  const hosted = yield* HostedIdentities
  const known = did.startsWith("did:web:") ? yield* hosted.find(did) : undefined
  if (known?.didDoc !== undefined) return known.didDoc
  const identity = yield* Identity
  return yield* identity.resolveDid(did)
})

const resolveHandle = method(
  "com.atproto.identity.resolveHandle",
  open,
  Effect.fnUntraced(function* ({ params }: Call<ResolveHandle.QueryParams>) {
    return { did: yield* didOf(params.handle) }
  }, orNotFound)
)

const resolveDid = method(
  "com.atproto.identity.resolveDid",
  open,
  Effect.fnUntraced(function* ({ params }: Call<ResolveDid.QueryParams>) {
    return { didDoc: yield* documentOf(params.did) }
  }, orNotFound)
)

/** An identifier that the network may be asked about: not a handle of ours that nobody has. */
const checkIdentifier = (identifier: string) =>
  identifier.startsWith("did:") ? Effect.succeed(identifier) : didOf(identifier)

const resolveIdentity = method(
  "com.atproto.identity.resolveIdentity",
  open,
  Effect.fnUntraced(function* ({ params }: Call<ResolveIdentity.QueryParams>) {
    yield* checkIdentifier(params.identifier)
    const identity = yield* Identity
    return yield* identity.resolveIdentity(params.identifier)
  }, orNotFound)
)

/** An account here whose own-domain handle proves another DID by now gives it up. */
const verifyAccount = Effect.fnUntraced(function* (identifier: string) {
  const directory = yield* Directory
  const entry = identifier.startsWith("did:")
    ? yield* directory.byDid(identifier)
    : yield* directory.byHandle(identifier)
  if (entry === undefined || isGivenHere(entry.handle, yield* Config)) return
  yield* (yield* Accounts).call(entry.did, "verifyHandle")
  const identity = yield* Identity
  yield* Effect.forEach([entry.did, entry.handle], identity.forget, { discard: true })
})

const refreshIdentity = method(
  "com.atproto.identity.refreshIdentity",
  open,
  Effect.fnUntraced(function* ({ input, request }: Call<object, RefreshIdentity.InputSchema>) {
    yield* takePoint(request, "refreshIdentity", [{ limit: 100, windowSeconds: 300 }])
    yield* verifyAccount(input.identifier)
    yield* checkIdentifier(input.identifier)
    const identity = yield* Identity
    return yield* identity.resolveIdentity(input.identifier, { fresh: true })
  }, orNotFound)
)

/** Who is who, for anybody who asks. */
export const identityMethods = [resolveHandle, resolveDid, resolveIdentity, refreshIdentity]
