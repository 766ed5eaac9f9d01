import type {
  ComAtprotoIdentityRefreshIdentity as RefreshIdentity,
  ComAtprotoIdentityResolveDid as ResolveDid,
  ComAtprotoIdentityResolveHandle as ResolveHandle,
  ComAtprotoIdentityResolveIdentity as ResolveIdentity,
  ComAtprotoIdentitySignPlcOperation as SignPlcOperation,
  ComAtprotoIdentitySubmitPlcOperation as SubmitPlcOperation,
  ComAtprotoIdentityUpdateHandle as UpdateHandle
} from "@atproto/api"
import { changeOwnHandle } from "../../services/identity/HandleChange.ts"
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
import { type Call, method } from "../Xrpc.ts"
import { AccountCodes } from "../../services/mail/AccountCodes.ts"
import { AccountStore } from "../../services/accounts/AccountStore.ts"
import type { Authority } from "../../services/sessions/Authority.ts"
import { mailCode } from "../../services/mail/MailedCodes.ts"
import {
  assertPlc,
  recommendedCredentials,
  signUpdate,
  submitOperation
} from "../../services/identity/PlcOperations.ts"
import { InvalidRequest } from "../../services/failures.ts"
import { owner } from "../accounts/readableAccount.ts"
import { rules } from "../../services/limits/rules.ts"

const open = { at: "host", authority: { kind: "none" } } as const

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
  { ...open, limits: [rules.refreshIdentity] },
  Effect.fnUntraced(function* ({ input }: Call<object, RefreshIdentity.InputSchema>) {
    yield* verifyAccount(input.identifier)
    yield* checkIdentifier(input.identifier)
    const identity = yield* Identity
    return yield* identity.resolveIdentity(input.identifier, { fresh: true })
  }, orNotFound)
)

const wholeIdentity = () => [{ resource: "identity", attr: "*" }] as const

/** Whoever may let the identity go: a taken-down account may leave as well. */
const leaving = {
  kind: "session",
  level: "full",
  oauth: wholeIdentity,
  takendown: true
} as const satisfies Authority

const theAccount = Effect.flatMap(AccountStore, (accounts) => accounts.get)

/** com.atproto.identity.getRecommendedDidCredentials */
const getRecommendedDidCredentials = method(
  "com.atproto.identity.getRecommendedDidCredentials",
  { at: "account", authority: { kind: "session", level: "standard", oauth: "any" } },
  () => Effect.flatMap(theAccount, recommendedCredentials)
)

/** com.atproto.identity.requestPlcOperationSignature: mails the code that signPlcOperation asks for. */
const requestPlcOperationSignature = method(
  "com.atproto.identity.requestPlcOperationSignature",
  { at: "account", authority: leaving },
  Effect.fnUntraced(function* () {
    yield* assertPlc((yield* theAccount).did)
    yield* mailCode("plc_operation")
  })
)

/** com.atproto.identity.signPlcOperation: the code is used up with the signature, not by what is refused before. */
const signPlcOperation = method(
  "com.atproto.identity.signPlcOperation",
  { at: "account", authority: leaving },
  Effect.fnUntraced(function* ({ input }: Call<object, SignPlcOperation.InputSchema>) {
    const { token, ...change } = input
    const { did } = yield* theAccount
    const codes = yield* AccountCodes
    if (token === undefined) {
      return yield* new InvalidRequest({
        message: "email confirmation token required to sign PLC operations"
      })
    }
    yield* codes.check("plc_operation", token)
    const operation = yield* signUpdate(did, change)
    yield* codes.use("plc_operation", token)
    return { operation }
  })
)

/** com.atproto.identity.submitPlcOperation */
const submitPlcOperation = method(
  "com.atproto.identity.submitPlcOperation",
  // The reference lets app passwords do it, too.
  { at: "account", authority: { ...owner, oauth: wholeIdentity } },
  ({ input }: Call<object, SubmitPlcOperation.InputSchema>) => submitOperation(input.operation)
)

const updateHandle = method(
  "com.atproto.identity.updateHandle",
  {
    // The reference lets app passwords do it, too.
    at: "account",
    authority: { ...owner, oauth: () => [{ resource: "identity", attr: "handle" }] },
    limits: [rules.updateHandle],
    typedNames: ["handle"]
  },
  ({ input }: Call<UpdateHandle.QueryParams, UpdateHandle.InputSchema>) =>
    changeOwnHandle(input.handle)
)

/** Who is who, for anyone who asks; and what an owner does with the DID and the handle of the account. */
export const identityMethods = [
  resolveHandle,
  resolveDid,
  resolveIdentity,
  refreshIdentity,
  getRecommendedDidCredentials,
  requestPlcOperationSignature,
  signPlcOperation,
  submitPlcOperation,
  updateHandle
]
