import { runInDurableObject } from "cloudflare:test"
import type * as Effect from "effect/Effect"
import * as SqlStorageDurable from "../../src/layers/SqlStorageDurable.ts"
import { accountCodesContract } from "../contract/accountCodes.suite.ts"
import { accountStoreContract } from "../contract/accountStore.suite.ts"
import { appPasswordsContract } from "../contract/appPasswords.suite.ts"
import { oauthSessionsContract } from "../contract/oauthSessions.suite.ts"
import { passkeyLinksContract } from "../contract/passkeyLinks.suite.ts"
import { passkeysContract } from "../contract/passkeys.suite.ts"
import { arrivalContract } from "../contract/arrival.suite.ts"
import { preferencesContract } from "../contract/preferences.suite.ts"
import { secondFactorsContract } from "../contract/secondFactors.suite.ts"
import { sessionsContract } from "../contract/sessions.suite.ts"
import { type Inside, runOver } from "../node/auth/support.ts"
import { ACCOUNT } from "./world.ts"

let made = 0

// An object without an account has an empty database.
const run = <E>(body: Effect.Effect<void, E, Inside>): Promise<void> => {
  const stub = ACCOUNT.get(ACCOUNT.idFromName(`did:web:inside-${made++}.test`))
  return runInDurableObject(stub, (_object, state) =>
    runOver(body, SqlStorageDurable.layer(state.storage))
  )
}

accountCodesContract("a Durable Object", run)
accountStoreContract("a Durable Object", run)
sessionsContract("a Durable Object", run)
oauthSessionsContract("a Durable Object", run)
appPasswordsContract("a Durable Object", run)
preferencesContract("a Durable Object", run)
arrivalContract("a Durable Object", run)
secondFactorsContract("a Durable Object", run)
passkeysContract("a Durable Object", run)
passkeyLinksContract("a Durable Object", run)
