import * as Effect from "effect/Effect"
import { AccountStore } from "../accounts/AccountStore.ts"
import { Config } from "../host/Config.ts"
import { AccountCodes } from "../mail/AccountCodes.ts"
import { Mailer } from "../mail/Mailer.ts"
import { rotationKeys as hostKeys } from "./Keys.ts"
import { PlcDirectory } from "./PlcDirectory.ts"
import { PlcOperationRefused, signUpdate, submitOperation } from "./PlcOperations.ts"

/** A change of the keys that an owner holds; each a did:key. */
export interface OwnerKeysChange {
  /** The key that becomes the first. */
  readonly first?: string
  /** The key that is removed. */
  readonly without?: string
}

/** The most rotation keys that the PLC directory accepts. */
export const maxRotationKeys = 10

/**
 * The rotation keys after a change: the new key comes first, and all others keep their order.
 */
export const changedKeys = (
  keys: ReadonlyArray<string>,
  { first, without }: OwnerKeysChange
): ReadonlyArray<string> => [
  ...(first === undefined ? [] : [first]),
  ...keys.filter((key) => key !== first && key !== without)
]

/** Whether a change of the account's keys needs a mailed code, besides a recent proof. */
export const needsKeyCode = (delivers: boolean, email: string | undefined): boolean =>
  delivers && email !== undefined

/**
 * Changes the owner's keys with an operation that this host signs, and submits it.
 *
 * The host's own key always stays. A change that is in effect already succeeds without an operation.
 */
export const changeOwnerKeys = Effect.fn("ownerKeys.change")(function* ({
  code = "",
  ...change
}: OwnerKeysChange & { readonly code?: string }) {
  const { did, email } = yield* (yield* AccountStore).get
  const codes = yield* AccountCodes
  const { delivers } = yield* Mailer
  const ours = hostKeys(yield* Config).map(({ didKey }) => didKey)
  if (ours.some((key) => key === change.first || key === change.without)) {
    const message = "This server's rotation key can't be a recovery key and can't be removed"
    return yield* new PlcOperationRefused({ did, message })
  }
  const isCoded = needsKeyCode(delivers, email)
  if (isCoded) yield* codes.check("plc_operation", code)
  const { rotationKeys: before } = yield* (yield* PlcDirectory).data(did)
  const rotationKeys = changedKeys(before, change)
  const isDone = rotationKeys.join() === before.join()
  if (!isDone) yield* submitOperation(yield* signUpdate(did, { rotationKeys }))
  if (isCoded) yield* codes.use("plc_operation", code)
})
