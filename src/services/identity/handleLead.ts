import * as Effect from "effect/Effect"
import type { Identity } from "./Identity.ts"

const nobody = () => Effect.undefined

/**
 * The DID that a handle leads to now, looked up past every cache; nothing where it leads to none.
 *
 * Of a name whose host cannot be reached as little is proven as of one that leads nowhere.
 */
export const leadOf = (identity: Identity["Service"], handle: string) =>
  identity
    .resolveHandle(handle, { fresh: true })
    .pipe(Effect.catchTags({ HandleNotFound: nobody, IdentityUnavailable: nobody }))
