import * as Effect from "effect/Effect"
import { didWebHost } from "../../core/identity/did.ts"
import { accountDidDocument, type DidDocument, pdsOf } from "../../core/identity/didDocument.ts"
import { serviceDomainOf } from "../../core/identity/handle.ts"
import type { Account } from "../accounts/AccountStore.ts"
import { Config, type Settings } from "../host/Config.ts"
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
export const ownDocument = Effect.fn("ownDocument")(function* (account: Account) {
  const settings = yield* Config
  const expected = expectedDocument(account, settings)
  if (isServedHere(account.did, settings)) return expected
  const identity = yield* Identity
  return yield* Effect.orElseSucceed(identity.resolveDid(account.did), () => expected)
})

/** Whether a DID document points to this host. */
export const leadsHere = (document: DidDocument, { publicUrl }: Settings): boolean =>
  pdsOf(document)?.replace(/\/$/, "") === publicUrl

/**
 * The DID document for responses about a session; undefined while the DID points to another host.
 *
 * The official client sends all later requests to the host in the document, so an account that is
 * moving in would be sent back to its old server.
 */
export const documentToFollow = Effect.fn("documentToFollow")(function* (account: Account) {
  const didDoc = yield* ownDocument(account)
  return leadsHere(didDoc, yield* Config) ? { didDoc } : {}
})
