import * as Effect from "effect/Effect"
import { didMethod } from "../../../core/identity/did.ts"
import type { PlcData } from "../../../core/identity/plcOperation.ts"
import { noter } from "../../accounts/AccountHistory.ts"
import { AccountLock } from "../../accounts/AccountLock.ts"
import { AccountStore } from "../../accounts/AccountStore.ts"
import { Config } from "../../host/Config.ts"
import { rotationKeys } from "../Keys.ts"
import { updatePlc } from "../PlcOperations.ts"

/** The outcome for the host's key in an account's DID. */
export type HostKeyOutcome =
  | { readonly kind: "replaced" | "current" | "none" }
  | { readonly kind: "left" | "refused" | "failed"; readonly reason: string }
  | {
      readonly kind: "unavailable"
      readonly reason: string
      /** Set if the directory limits requests, in milliseconds. */
      readonly retryAfter: number | undefined
    }

const left = (reason: string): HostKeyOutcome => ({ kind: "left", reason })

const none: HostKeyOutcome = { kind: "none" }
const notYet: HostKeyOutcome = {
  kind: "failed",
  reason: "its object doesn't have the new key yet"
}

/** A DID's rotation keys with one replaced; the others keep their order, so the owner's stay first. */
const withKey = (keys: ReadonlyArray<string>, old: string, current: string) => [
  ...new Set(keys.map((key) => (key === old ? current : key)))
]

/**
 * Replaces the host's old key in the DID of this object's account by the current one, with an
 * operation that the old key signs; does nothing if the DID doesn't name it.
 *
 * Changes no DID that points to another server: that would be a surprise to its owner.
 */
export const replaceHostKey = Effect.fn("replaceHostKey")(function* (to: string) {
  const config = yield* Config
  const account = (yield* AccountStore).peek()
  if (account === undefined || didMethod(account.did) !== "plc") return none
  const { did } = account
  const [current, old] = rotationKeys(config).map(({ didKey }) => didKey)
  if (current !== to) return notYet
  let outcome: HostKeyOutcome = { kind: "current" }
  const change = (data: PlcData): Partial<PlcData> | undefined => {
    const { rotationKeys: keys, services } = data
    if (old === undefined || !keys.includes(old)) {
      if (!keys.includes(to)) outcome = left("its DID doesn't name this server's key")
      return undefined
    }
    if (services["atproto_pds"]?.endpoint !== config.publicUrl) {
      outcome = left("its DID points to another server")
      return undefined
    }
    outcome = { kind: "replaced" }
    return { rotationKeys: withKey(keys, old, to) }
  }
  const replacing = Effect.gen(function* () {
    const note = yield* noter
    yield* updatePlc(did, change)
    if (outcome.kind === "replaced") note({ kind: "host-key", by: "operator", after: to })
    return outcome
  })
  return yield* (yield* AccountLock).alone(replacing).pipe(
    Effect.catchTags({
      DidNotFound: () => Effect.succeed(left("the PLC directory doesn't know its DID")),
      DidDeactivated: () => Effect.succeed(left("its DID was ended")),
      NotOurDid: () => Effect.succeed(left("its DID doesn't name this server's key")),
      PlcRefused: ({ reason }) => Effect.succeed<HostKeyOutcome>({ kind: "refused", reason }),
      PlcUnavailable: ({ operation, retryAfter }) =>
        Effect.succeed<HostKeyOutcome>({
          kind: "unavailable",
          reason: `the PLC directory didn't answer ${operation}`,
          retryAfter
        })
    })
  )
})
