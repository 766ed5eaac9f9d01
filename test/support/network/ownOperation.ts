import * as Effect from "effect/Effect"
import {
  type PlcData,
  unsignedBytes,
  updateOperation,
  withSignature
} from "../../../src/core/identity/plcOperation.ts"
import { Keys, type PrivateKey } from "../../../src/services/identity/Keys.ts"
import { PlcDirectory } from "../../../src/services/identity/PlcDirectory.ts"

/** The next operation of a DID, signed with a key of its owner's; the server isn't asked. */
export const ownOperation = Effect.fnUntraced(function* (
  did: string,
  key: PrivateKey,
  change: Partial<PlcData>
) {
  const next = updateOperation(yield* (yield* PlcDirectory).last(did), change)
  const signer = yield* (yield* Keys).signer(key)
  return withSignature(next, yield* signer.sign(unsignedBytes(next)))
})
