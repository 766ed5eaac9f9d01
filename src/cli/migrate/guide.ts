import * as Effect from "effect/Effect"
import { note, report } from "../output.ts"
import { signInAs } from "../session.ts"
import { tokenFor } from "./arrive.ts"

/**
 * Prints a token for creating the account on another server, and the steps to finish with other
 * tools.
 */
export const arrivalGuide = Effect.fn("cli.arrivalGuide")(function* ({
  did,
  from,
  to
}: {
  readonly did: string
  readonly from: string
  readonly to: string
}) {
  const session = yield* signInAs(from, did)
  const token = yield* tokenFor(session, to)
  yield* report({ did, from, to, token }, () => token)
  yield* note(
    [
      "The token expires in a minute and works only for step 1:",
      `  1. com.atproto.server.createAccount at ${to} with did ${did} and the token as Bearer`,
      `  2. com.atproto.sync.getRepo here, com.atproto.repo.importRepo there`,
      "  3. com.atproto.repo.listMissingBlobs there; com.atproto.sync.getBlob here, com.atproto.repo.uploadBlob there",
      "  4. app.bsky.actor.getPreferences here, putPreferences there",
      "  5. com.atproto.identity.getRecommendedDidCredentials there; requestPlcOperationSignature and",
      "     signPlcOperation here, with the emailed code; submitPlcOperation there",
      "  6. com.atproto.server.activateAccount there, deactivateAccount here",
      "Without --token, this command does all of this for you."
    ].join("\n")
  )
}, Effect.scoped)
