import * as Effect from "effect/Effect"
import * as Schema from "effect/Schema"
import { didMethod } from "../../core/identity/did.ts"
import { movedData } from "../../core/identity/movedData.ts"
import { makeDidDocument, pdsOf, signingKeyOf } from "../../core/identity/didDocument.ts"
import { mailedCode } from "../account/mailedCode.ts"
import { Failed } from "../failure.ts"
import { plcDataOf } from "../identity/lookup.ts"
import { note } from "../output.ts"
import { canAsk, insist } from "../prompts.ts"
import { procedure, type Remote } from "../xrpc.ts"
import type { Move } from "./steps.ts"
import { type Credentials, credentialsAt, documentOf } from "./network.ts"
import { assertFew } from "./rotationKeys.ts"

/** Whether the DID points to the new server now. */
export const hasMoved = Effect.fnUntraced(function* ({ did, to }: Pick<Move, "did" | "to">) {
  const wanted = yield* credentialsAt(to)
  const document = yield* documentOf(did)
  return (
    pdsOf(document) === wanted.services["atproto_pds"]?.endpoint &&
    signingKeyOf(document) === wanted.verificationMethods["atproto"]
  )
})

/**
 * The DID's new data: the new server's recommendation with the owner's keys first; other names and
 * services stay.
 */
export const wantedData = Effect.fnUntraced(function* (
  did: string,
  to: Remote,
  ownKeys: ReadonlyArray<string>
) {
  const data = movedData(yield* plcDataOf(did), yield* credentialsAt(to), ownKeys)
  yield* assertFew(
    data.rotationKeys,
    ownKeys.filter((key) => key !== data.rotationKeys.at(-1))
  )
  return data
})

/** Has the old server sign the operation with a mailed code, and the new one submit it. */
const movePlc = Effect.fnUntraced(function* ({ did, from, to, ownKeys }: Move) {
  const data = yield* wantedData(did, to, ownKeys)
  const token = yield* mailedCode({
    of: from,
    purpose: "plc_operation",
    request: procedure(from, "com.atproto.identity.requestPlcOperationSignature", Schema.Unknown)
  })
  const { operation } = yield* procedure(
    from,
    "com.atproto.identity.signPlcOperation",
    Schema.Struct({ operation: Schema.Unknown }),
    { token, ...data }
  )
  yield* procedure(to, "com.atproto.identity.submitPlcOperation", Schema.Unknown, { operation })
})

/** Shows the document that a did:web's owner must publish. */
const moveWeb = Effect.fnUntraced(function* ({ did, to }: Move) {
  const { alsoKnownAs, verificationMethods, services }: Credentials = yield* credentialsAt(to)
  const document = makeDidDocument({ did, alsoKnownAs, keys: verificationMethods, services })
  yield* note(
    `Only you can change ${did}. Replace its document with:\n${JSON.stringify(document, null, 2)}`
  )
  if (!(yield* canAsk)) {
    return yield* new Failed({
      message: `The document of ${did} doesn't point to ${to.server} yet`,
      next: "Publish the document shown above, then run the command again."
    })
  }
  yield* insist("Have you published it?", false)
})

/** A replica of the directory may lag. */
const patience = { times: 20 } as const

const arrived = (move: Move) =>
  hasMoved(move).pipe(
    Effect.flatMap((moved) =>
      moved
        ? Effect.void
        : new Failed({
            message: `${move.did} doesn't point to ${move.to.server} yet`,
            next: "Wait a minute, then run the command again."
          })
    )
  )

/** Points the DID to the new server. */
export const moveIdentity = Effect.fnUntraced(function* (move: Move) {
  yield* didMethod(move.did) === "plc" ? movePlc(move) : moveWeb(move)
  yield* arrived(move).pipe(
    Effect.tapError(() => Effect.sleep("500 millis")),
    Effect.retry(patience)
  )
})
