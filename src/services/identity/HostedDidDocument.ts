import * as Clock from "effect/Clock"
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Result from "effect/Result"
import { didWebHost } from "../../core/identity/did.ts"
import { accountDidDocument, type DidDocument, pdsOf } from "../../core/identity/didDocument.ts"
import { serviceDomainOf } from "../../core/identity/handle.ts"
import type { Account } from "../accounts/AccountStore.ts"
import { Config, type Settings } from "../host/Config.ts"
import * as Soon from "../host/Soon.ts"
import { Identity } from "./Identity.ts"

/**
 * Whether this host itself serves a DID's document: a did:web of its name or of its handle domains.
 */
export const isServedHere = (did: string, settings: Settings): boolean => {
  const host = didWebHost(did)
  return (
    host !== undefined &&
    (host === settings.host || settings.handleDomains.some((domain) => host.endsWith(`.${domain}`)))
  )
}

/** Whether this server assigns the handle; for any other, the owner's domain is the proof. */
export const isGivenHere = (handle: string, { handleDomains, host }: Settings): boolean =>
  handle === host || serviceDomainOf(handle, handleDomains) !== undefined

/** The document that an account of this server should have. */
export const expectedDocument = (account: Account, settings: Settings): DidDocument =>
  accountDidDocument({
    did: account.did,
    handle: account.handle,
    signingKey: account.signingKey.didKey,
    pds: settings.publicUrl
  })

/** The DID document of an account of this server; the expected one if it can't be resolved now. */
export const ownDocument = (
  account: Account,
  services: Context.Context<Config | Identity>
): Soon.Soon<DidDocument, never> => {
  const { did } = account
  const settings = Context.get(services, Config)
  const expected = expectedDocument(account, settings)
  if (isServedHere(did, settings)) return Result.succeed(expected)
  const identity = Context.get(services, Identity)
  const now = Context.get(services, Clock.Clock).currentTimeMillisUnsafe()
  const known = identity.documentNow(did, now)
  return known === undefined
    ? Effect.orElseSucceed(identity.resolveDid(did), () => expected)
    : Result.succeed(known)
}

/** Whether a DID document points to this host. */
export const leadsHere = (document: DidDocument, { publicUrl }: Settings): boolean =>
  pdsOf(document)?.replace(/\/$/, "") === publicUrl

/**
 * The DID document for responses about a session; undefined while the DID points to another host.
 *
 * The official client sends all later requests to the host in the document, so an account that is
 * moving in would be sent back to its old server.
 */
export const documentToFollow = (
  account: Account,
  services: Context.Context<Config | Identity>
): Soon.Soon<{ readonly didDoc?: DidDocument }, never> =>
  Soon.map(ownDocument(account, services), (didDoc) =>
    leadsHere(didDoc, Context.get(services, Config)) ? { didDoc } : {}
  )
