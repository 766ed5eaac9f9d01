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
import { noter } from "../../services/accounts/AccountHistory.ts"
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
 * Reports an unreachable host of a name as not found, because the methods' lexicons have no other
 * error. A failing look-up of a did:plc is different: that is this server's own directory.
 */
const orNotFound = <A, E, R>(resolving: Effect.Effect<A, E | IdentityUnavailable, R>) =>
  Effect.mapError(resolving, (error) =>
    error instanceof IdentityUnavailable ? nameNotFound(error) : error
  )

/**
 * The DID of a handle: accounts here first; unknown handles of ours are not sent to anyone else.
 */
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

/** An identifier to ask the network about: not an unassigned handle of ours. */
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

/** Removes an account's own-domain handle if the domain now proves another DID. */
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

/** Sessions that may move the identity away, even for an account that was taken down. */
const leaving = {
  kind: "session",
  level: "full",
  oauth: wholeIdentity,
  takendown: true
} as const satisfies Authority

const theAccount = Effect.flatMap(AccountStore, (accounts) => accounts.get)

const getRecommendedDidCredentials = method(
  "com.atproto.identity.getRecommendedDidCredentials",
  { at: "account", authority: { kind: "session", level: "standard", oauth: "any" } },
  () => Effect.flatMap(theAccount, recommendedCredentials)
)

/** com.atproto.identity.requestPlcOperationSignature: mails the code for signPlcOperation. */
const requestPlcOperationSignature = method(
  "com.atproto.identity.requestPlcOperationSignature",
  { at: "account", authority: leaving },
  Effect.fnUntraced(function* () {
    yield* assertPlc((yield* theAccount).did)
    yield* mailCode("plc_operation")
  })
)

/**
 * com.atproto.identity.signPlcOperation: only a signature uses up the code, not a rejected
 * operation.
 */
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
    const note = yield* noter
    yield* codes.use("plc_operation", token)
    note({ kind: "identity" })
    return { operation }
  })
)

const submitPlcOperation = method(
  "com.atproto.identity.submitPlcOperation",
  // The reference also allows app passwords.
  { at: "account", authority: { ...owner, oauth: wholeIdentity } },
  ({ input }: Call<object, SubmitPlcOperation.InputSchema>) => submitOperation(input.operation)
)

const updateHandle = method(
  "com.atproto.identity.updateHandle",
  {
    // The reference also allows app passwords.
    at: "account",
    authority: { ...owner, oauth: () => [{ resource: "identity", attr: "handle" }] },
    limits: [rules.updateHandle],
    typedNames: ["handle"]
  },
  ({ input }: Call<UpdateHandle.QueryParams, UpdateHandle.InputSchema>) =>
    changeOwnHandle(input.handle)
)

/** Public look-ups of identities, and the owner's methods for the account's DID and handle. */
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
