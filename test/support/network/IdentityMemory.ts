import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import { type DidDocument, handleOf, signingKeyOf } from "../../../src/core/identity/didDocument.ts"
import { invalidHandle } from "../../../src/core/identity/handle.ts"
import { normalizeHandle } from "../../../src/core/lexicon/syntax.ts"
import {
  DidNotFound,
  HandleNotFound,
  Identity,
  KeyNotFound
} from "../../../src/services/identity/Identity.ts"

/** All identities: DID documents by DID, and DIDs by handle. */
export interface KnownIdentities {
  readonly documents: Iterable<DidDocument>
  /** Handles that resolve by DNS or HTTPS; those that documents claim aren't included. */
  readonly handles: Readonly<Record<string, string>>
}

const make = (known: KnownIdentities): Identity["Service"] => {
  const documents = new Map([...known.documents].map((document) => [document.id, document]))
  const handles = new Map(
    Object.entries(known.handles).map(([handle, did]) => [normalizeHandle(handle), did])
  )

  const resolveDid = (did: string) =>
    Effect.fromNullishOr(documents.get(did)).pipe(Effect.mapError(() => new DidNotFound({ did })))

  const resolveHandle = (handle: string) =>
    Effect.fromNullishOr(handles.get(normalizeHandle(handle))).pipe(
      Effect.mapError(() => new HandleNotFound({ handle }))
    )

  return Identity.of({
    resolveDid,
    documentNow: (did) => documents.get(did),
    resolveHandle,
    signingKey: (did, { id = "atproto" } = {}) =>
      resolveDid(did).pipe(
        Effect.flatMap((document) =>
          Effect.fromNullishOr(signingKeyOf(document, id)).pipe(
            Effect.mapError(() => new KeyNotFound({ did, id }))
          )
        )
      ),
    resolveIdentity: Effect.fn("Identity.resolveIdentity")(function* (didOrHandle) {
      const did = didOrHandle.startsWith("did:") ? didOrHandle : yield* resolveHandle(didOrHandle)
      const didDoc = yield* resolveDid(did)
      const claimed = handleOf(didDoc)
      const verified = claimed !== undefined && handles.get(claimed) === did
      return { did, handle: verified ? claimed : invalidHandle, didDoc }
    }),
    forget: () => Effect.void
  })
}

/** Identities from a fixed table. */
export const layer = (known: KnownIdentities): Layer.Layer<Identity> =>
  Layer.sync(Identity, () => make(known))
