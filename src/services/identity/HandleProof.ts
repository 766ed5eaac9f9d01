import * as Effect from "effect/Effect"
import * as Schema from "effect/Schema"
import { calledName } from "../../core/identity/calledName.ts"
import { type HandleFault, invalidHandle } from "../../core/identity/handle.ts"
import { AccountEvents } from "../stream/AccountEvents.ts"
import { AccountLock } from "../accounts/AccountLock.ts"
import type { Accounts } from "../accounts/Accounts.ts"
import { AccountStore } from "../accounts/AccountStore.ts"
import { Config, type Settings } from "../host/Config.ts"
import { Directory } from "../accounts/Directory.ts"
import { Identity } from "./Identity.ts"
import { isGivenHere } from "./HostedDidDocument.ts"

/** The handle violates this server's rules. */
export class HandleRefused extends Schema.TaggedError<HandleRefused>()("HandleRefused", {
  message: Schema.String
}) {}

/** The handle is reserved. */
export class HandleReserved extends Schema.TaggedError<HandleReserved>()("HandleReserved", {
  message: Schema.String
}) {}

/** The handle's domain does not name the account's DID. */
export class HandleUnproven extends Schema.TaggedError<HandleUnproven>()("HandleUnproven", {}) {}

/** The failure for a handle that violates the rules. */
export const handleFailure = ({ error, message }: HandleFault) =>
  error === "HandleNotAvailable" ? new HandleReserved({ message }) : new HandleRefused({ message })

const nobody = () => Effect.undefined

/**
 * The DID that a handle resolves to now, bypassing caches; undefined if it doesn't resolve.
 *
 * An unreachable host proves no more than a missing record.
 */
export const leadOf = (identity: Identity["Service"], handle: string) =>
  identity
    .resolveHandle(handle, { fresh: true })
    .pipe(Effect.catchTags({ HandleNotFound: nobody, IdentityUnavailable: nobody }))

/**
 * Resolves the account's own-domain handle and removes it if the domain proves another DID.
 *
 * Keeps a handle that doesn't resolve, because its domain may be unreachable. Anyone may request
 * this.
 */
export const verifyHandle = Effect.fn("verifyHandle")(function* () {
  const accounts = yield* AccountStore
  const identity = yield* Identity
  const settings = yield* Config
  const verified = Effect.gen(function* () {
    const { did, handle } = yield* accounts.get
    if (handle === invalidHandle || isGivenHere(handle, settings)) return
    const lead = yield* leadOf(identity, handle)
    if (lead === undefined || lead === did) return
    yield* (yield* Directory).dropHandle(did)
    yield* accounts.update(
      { handle: invalidHandle },
      { kind: "handle", before: handle, after: invalidHandle, by: "server" }
    )
    yield* Effect.forEach([did, handle], identity.forget, { discard: true })
    yield* (yield* AccountEvents).identity
  })
  yield* (yield* AccountLock).alone(verified)
})

/** Makes an account release a stale own-domain handle to the DID that the domain now proves. */
export const makeWay = Effect.fn("makeWay")(function* (
  services: {
    readonly accounts: Accounts["Service"]
    readonly config: Settings
    readonly directory: Directory["Service"]
    readonly identity: Identity["Service"]
  },
  wanted: string,
  did: string
) {
  const { accounts, config, directory, identity } = services
  const handle = calledName(wanted)
  if (isGivenHere(handle, config)) return
  const owner = yield* directory.byHandle(handle)
  if (owner === undefined || owner.did === did) return
  if ((yield* leadOf(identity, handle)) !== did) return
  // If it fails, the handle stays unavailable, which the caller reports.
  yield* Effect.ignore(accounts.call(owner.did, "verifyHandle"))
})
