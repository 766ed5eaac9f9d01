import * as Effect from "effect/Effect"
import { didMethod } from "../../core/identity/did.ts"
import { signingKeyOf } from "../../core/identity/didDocument.ts"
import { AccountEvents } from "../stream/AccountEvents.ts"
import { AccountLock } from "../accounts/AccountLock.ts"
import { IncompatibleDid } from "../accounts/AccountStatus.ts"
import {
  type Account,
  AccountStore,
  inactiveStatus,
  RepoInactive
} from "../accounts/AccountStore.ts"
import { Config } from "../host/Config.ts"
import { PublicCacheGate } from "../edge/PublicCacheGate.ts"
import { Identity } from "./Identity.ts"
import { isServedHere } from "./HostedDidDocument.ts"
import { PlcDirectory } from "./PlcDirectory.ts"
import { signUpdate } from "./PlcOperations.ts"
import { Repo } from "../repo/Repo.ts"

const writePlc = Effect.fnUntraced(function* (did: string, atproto: string) {
  const plc = yield* PlcDirectory
  const { verificationMethods } = yield* plc.data(did)
  if (verificationMethods["atproto"] === atproto) return
  const change = { verificationMethods: { ...verificationMethods, atproto } }
  yield* plc.submit(did, yield* signUpdate(did, change))
})

/** Sees to it that the DID's document names the key: written by us, served by us, or by its owner already. */
const writeDocument = Effect.fnUntraced(function* (did: string, atproto: string) {
  const identity = yield* Identity
  if (didMethod(did) === "plc") yield* writePlc(did, atproto)
  else if (!isServedHere(did, yield* Config)) {
    const document = yield* identity.resolveDid(did, { fresh: true })
    if (signingKeyOf(document) !== atproto) {
      return yield* new IncompatibleDid({ did, message: "DID document does not name the new key" })
    }
  }
  yield* identity.forget(did)
})

/**
 * Gives an active account another signing key: DID, account, `#identity`, and an empty commit signed with it.
 *
 * No write is signed meanwhile: one by the old key would reach consumers that know the new one. Cut off in the
 * middle, the same key again does the rest. Spec: repository, key rotation.
 */
export const changeSigningKey = Effect.fn("changeSigningKey")(function* (
  key: Account["signingKey"]
) {
  const accounts = yield* AccountStore
  const events = yield* AccountEvents
  const gate = yield* PublicCacheGate
  const repo = yield* Repo
  const services = yield* Effect.context<Effect.Services<ReturnType<typeof writeDocument>>>()
  const change = Effect.gen(function* () {
    const account = yield* accounts.get
    const { did, signingKey } = account
    const status = inactiveStatus(account)
    // An inactive account is not told of; it gets a fresh commit when it becomes active.
    if (status !== undefined) return yield* new RepoInactive({ did, status })
    yield* writeDocument(did, key.didKey)
    if (signingKey.didKey !== key.didKey) {
      yield* gate.whileShut(accounts.update({ signingKey: key }))
    }
    yield* events.identity
  })
  yield* (yield* AccountLock).alone(repo.recommitAfter(Effect.provide(change, services)))
})
