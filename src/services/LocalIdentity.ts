import * as Context from "effect/Context"
import type * as Effect from "effect/Effect"
import type { Account } from "./AccountStore.ts"

/** How the world sees an account that lives here. */
export interface LocalIdentityView {
  readonly didDoc: object
  /** The handle leads to this DID, and the DID's document names this handle. */
  readonly handleIsCorrect: boolean
}

/** The identity of the account in this object: its document built here (did:web) or resolved (did:plc). */
export class LocalIdentity extends Context.Service<
  LocalIdentity,
  {
    of(account: Account): Effect.Effect<LocalIdentityView>
  }
>()("nacre/services/LocalIdentity") {}
