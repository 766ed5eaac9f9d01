import * as Context from "effect/Context"
import type * as Effect from "effect/Effect"
import type { OAuthStoreUnavailable } from "../oauth/OAuthRequests.ts"

type Answer<A> = Effect.Effect<A, OAuthStoreUnavailable>

/** The owner of each credential id (D1), because a passkey sign-in doesn't name the account. */
export class PasskeyOwners extends Context.Service<
  PasskeyOwners,
  {
    ownerOf(credentialId: string): Answer<string | undefined>
    /** False if the credential id already has an owner. */
    add(credentialId: string, did: string): Answer<boolean>
    remove(credentialId: string, did: string): Answer<void>
    removeAll(did: string): Answer<void>
  }
>()("nacre/services/PasskeyOwners") {}
