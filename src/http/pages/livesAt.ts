import * as Effect from "effect/Effect"
import { pdsOf } from "../../core/identity/didDocument.ts"
import { Config } from "../../services/host/Config.ts"
import { Identity } from "../../services/identity/Identity.ts"

/** The host of the other server that a DID points to; undefined if it points here or can't be resolved now. */
export const livesAt = Effect.fn("pages.livesAt")(function* (did: string) {
  const { publicUrl } = yield* Config
  const document = yield* (yield* Identity)
    .resolveDid(did, { fresh: true })
    .pipe(Effect.orElseSucceed(() => undefined))
  const pds = document === undefined ? null : URL.parse(pdsOf(document) ?? "")
  return pds === null || pds.origin === new URL(publicUrl).origin ? undefined : pds.host
})
