import * as Effect from "effect/Effect"
import * as Schema from "effect/Schema"
import { didMethod } from "../../../core/identity/did.ts"
import { pdsOf } from "../../../core/identity/didDocument.ts"
import { movedData, sortKeys } from "../../../core/identity/movedData.ts"
import { Config } from "../../../services/host/Config.ts"
import { Identity } from "../../../services/identity/Identity.ts"
import { PlcDirectory } from "../../../services/identity/PlcDirectory.ts"
import { latestRev } from "./copy.ts"
import { decoded, MoveInFailed } from "./call.ts"
import { here, type Moving, there } from "./remote.ts"

const Services = Schema.Record(
  Schema.String,
  Schema.Struct({ type: Schema.String, endpoint: Schema.String })
)

const Recommended = Schema.Struct({
  rotationKeys: Schema.optionalKey(Schema.Array(Schema.String)),
  alsoKnownAs: Schema.Array(Schema.String),
  verificationMethods: Schema.Record(Schema.String, Schema.String),
  services: Services
})

const Named = Schema.Struct({ rotationKeys: Schema.optional(Schema.Array(Schema.String)) })

const Signed = Schema.Struct({
  operation: Schema.Struct({
    rotationKeys: Schema.Array(Schema.String),
    services: Services,
    alsoKnownAs: Schema.Array(Schema.String)
  })
})

const recommended = "com.atproto.identity.getRecommendedDidCredentials"

/** Whether the DID points to this server. */
export const leadsHere = Effect.fnUntraced(function* (did: string) {
  const { host } = yield* Config
  const document = yield* (yield* Identity).resolveDid(did, { fresh: true })
  return URL.parse(pdsOf(document) ?? "")?.host === host
})

/** Has the old server mail the code that signing the change of the identity takes. */
export const requestCode = (moving: Moving) =>
  there(moving, "com.atproto.identity.requestPlcOperationSignature", { method: "POST" })

/** What this server recommends for the DID. */
export const recommendedHere = Effect.fnUntraced(function* (moving: Moving) {
  return yield* decoded(recommended, Recommended, yield* here(moving, recommended))
})

const wantedData = Effect.fnUntraced(function* (moving: Moving) {
  const now = yield* (yield* PlcDirectory).data(moving.did)
  const { rotationKeys: named = [] } = yield* there(moving, recommended).pipe(
    Effect.flatMap((answer) => decoded(recommended, Named, answer)),
    Effect.catchIf(
      (failure) => failure instanceof MoveInFailed && failure.why !== "signed out",
      () => Effect.succeed({ rotationKeys: [] })
    )
  )
  const { own } = sortKeys({ keys: now.rotationKeys, named, others: [] }, { keep: [], drop: [] })
  return movedData(now, yield* recommendedHere(moving), own)
})

/** Points the DID here: the old server signs, by the mailed code, and this one submits. */
export const pointHere = Effect.fn("moveIn.identity")(function* (moving: Moving, token: string) {
  if (didMethod(moving.did) !== "plc") return
  if ((yield* latestRev(moving)) !== moving.notes.rev) {
    const { rev: _, ...notes } = moving.notes
    moving.notes = notes
    yield* moving.keep({})
    return yield* new MoveInFailed({ why: "changed" })
  }
  const data = yield* wantedData(moving)
  const nsid = "com.atproto.identity.signPlcOperation"
  const answer = yield* there(moving, nsid, { input: { token, ...data } })
  const { operation } = yield* decoded(nsid, Signed, answer)
  // The old server must not keep a key of its own, or point anywhere else.
  const isAsked =
    operation.rotationKeys.join() === data.rotationKeys.join() &&
    operation.alsoKnownAs.join() === data.alsoKnownAs.join() &&
    operation.services["atproto_pds"]?.endpoint === data.services["atproto_pds"]?.endpoint
  if (!isAsked) return yield* new MoveInFailed({ why: "odd", nsid })
  const whole = yield* decoded(nsid, Schema.Struct({ operation: Schema.Unknown }), answer)
  yield* here(moving, "com.atproto.identity.submitPlcOperation", { input: whole })
  yield* (yield* Identity).forget(moving.did)
})
