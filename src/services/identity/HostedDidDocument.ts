import * as Effect from "effect/Effect"
import { didWebHost } from "../../core/identity/did.ts"
import { accountDidDocument, type DidDocument, pdsOf } from "../../core/identity/didDocument.ts"
import { serviceDomainOf } from "../../core/identity/handle.ts"
import type { Account } from "../accounts/AccountStore.ts"
import { Config, type Settings } from "../host/Config.ts"
import { Identity } from "./Identity.ts"

/** Whether this host itself serves the document of a DID: a did:web of its name or of its handle domains. */
export const isServedHere = (did: string, settings: Settings): boolean => {
  const host = didWebHost(did)
  return (
    host !== undefined &&
    (host === settings.host || settings.handleDomains.some((domain) => host.endsWith(`.${domain}`)))
  )
}

/** Whether this server gives a handle out and answers for it: of any other its owner's domain is the proof. */
export const isGivenHere = (handle: string, { handleDomains, host }: Settings): boolean =>
  handle === host || serviceDomainOf(handle, handleDomains) !== undefined

/** The document as it has to be for an account that lives here. */
export const expectedDocument = (account: Account, settings: Settings): DidDocument =>
  accountDidDocument({
    did: account.did,
    handle: account.handle,
    signingKey: account.signingKey.didKey,
    pds: settings.publicUrl
  })

/** The DID document of an account that lives here; as it has to be, while nobody can tell how it is. */
export const ownDocument = Effect.fn("ownDocument")(function* (account: Account) {
  const settings = yield* Config
  const expected = expectedDocument(account, settings)
  if (isServedHere(account.did, settings)) return expected
  const identity = yield* Identity
  return yield* Effect.orElseSucceed(identity.resolveDid(account.did), () => expected)
})

/** Whether a DID document leads to this host. */
export const leadsHere = (document: DidDocument, { publicUrl }: Settings): boolean =>
  pdsOf(document)?.replace(/\/$/, "") === publicUrl

/**
 * What answers about a session tell of the DID document: nothing while the DID leads to another host.
 *
 * The official client sends all that follows to the host that the document names: who is moving in would be sent
 * back to where they come from.
 */
export const documentToFollow = Effect.fn("documentToFollow")(function* (account: Account) {
  const didDoc = yield* ownDocument(account)
  return leadsHere(didDoc, yield* Config) ? { didDoc } : {}
})
