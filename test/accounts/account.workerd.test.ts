import { runInDurableObject } from "cloudflare:test"
import type * as Effect from "effect/Effect"
import * as SqlStorageDurable from "../../src/layers/host/sql/SqlStorageDurable.ts"
import { accountCodesContract } from "../mail/accountCodes.contract.ts"
import { accountStoreContract } from "./accountStore.contract.ts"
import { appPasswordsContract } from "../sessions/appPasswords.contract.ts"
import { oauthSessionsContract } from "../oauth/tokens/oauthSessions.contract.ts"
import { passkeyLinksContract } from "../factors/passkeyLinks.contract.ts"
import { passkeysContract } from "../factors/passkeys.contract.ts"
import { arrivalContract } from "./pendingMigration/pendingMigration.contract.ts"
import { preferencesContract } from "./preferences.contract.ts"
import { secondFactorsContract } from "../factors/secondFactors.contract.ts"
import { sessionsContract } from "../sessions/sessions.contract.ts"
import { type Inside, runOver } from "../sessions/accountServices.ts"
import { ACCOUNT } from "../host/workerdWorld.ts"

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
