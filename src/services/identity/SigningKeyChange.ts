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
import { rewrapKeys } from "./keys/calls.ts"
import { PlcDirectory } from "./PlcDirectory.ts"
import { signUpdate, submitOwn } from "./PlcOperations.ts"
import { Repo } from "../repo/Repo.ts"

const writePlc = Effect.fnUntraced(function* (did: string, atproto: string) {
  const plc = yield* PlcDirectory
  const { verificationMethods } = yield* plc.data(did)
  if (verificationMethods["atproto"] === atproto) return
  const change = { verificationMethods: { ...verificationMethods, atproto } }
  yield* submitOwn(did, yield* signUpdate(did, change))
})

/**
 * Makes the DID's document name the key: we write it, we serve it, or its owner has done it
 * already.
 */
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
 * Changes an active account's signing key: DID, account, `#identity`, and an empty commit signed
 * with it.
 *
 * No write is signed meanwhile, because consumers that know the new key would reject the old one.
 * After an interruption, calling again with the same key completes it. Spec: repository, key
 * rotation.
 */
export const changeSigningKey = Effect.fn("changeSigningKey")(function* (
  key: Account["signingKey"]
) {
  const accounts = yield* AccountStore
  const events = yield* AccountEvents
  const gate = yield* PublicCacheGate
  const repo = yield* Repo
  // A rotation of the master key knows an account that it hasn't reached by its signing key.
  yield* rewrapKeys()
  const services = yield* Effect.context<Effect.Services<ReturnType<typeof writeDocument>>>()
  const change = Effect.gen(function* () {
    const account = yield* accounts.get
    const { did, signingKey } = account
    const status = inactiveStatus(account)
    // An inactive account emits no events; it gets a new commit when it is activated.
    if (status !== undefined) return yield* new RepoInactive({ did, status })
    yield* writeDocument(did, key.didKey)
    if (signingKey.didKey !== key.didKey) {
      const event = { kind: "signing-key", before: signingKey.didKey, after: key.didKey } as const
      yield* gate.whileShut(accounts.update({ signingKey: key }, event))
    }
    yield* events.identity
  })
  yield* (yield* AccountLock).alone(repo.recommitAfter(Effect.provide(change, services)))
})
