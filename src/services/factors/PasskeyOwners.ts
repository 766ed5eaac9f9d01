import * as Context from "effect/Context"
import type * as Effect from "effect/Effect"
import type { OAuthStoreUnavailable } from "../oauth/OAuthRequests.ts"

type Answer<A> = Effect.Effect<A, OAuthStoreUnavailable>

/** Whose passkey a credential id is (D1): who signs in with one has not said who they are. */
export class PasskeyOwners extends Context.Service<
  PasskeyOwners,
  {
    ownerOf(credentialId: string): Answer<string | undefined>
    /** False where the credential id is somebody's already. */
    add(credentialId: string, did: string): Answer<boolean>
    remove(credentialId: string, did: string): Answer<void>
    removeAll(did: string): Answer<void>
  }
>()("nacre/services/PasskeyOwners") {}
