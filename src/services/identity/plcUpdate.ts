import * as Effect from "effect/Effect"
import * as Schema from "effect/Schema"
import {
  dataOf,
  type PlcData,
  unsignedBytes,
  updateOperation,
  withSignature
} from "../../core/identity/plcOperation.ts"
import { Config } from "../host/Config.ts"
import { DidDeactivated, Identity } from "./Identity.ts"
import { Keys } from "./Keys.ts"
import { PlcDirectory } from "./PlcDirectory.ts"
import { rotationKey } from "./RotationKey.ts"

/** This host's key is not among those that may change the DID. */
export class NotOurDid extends Schema.TaggedError<NotOurDid>()("NotOurDid", {
  did: Schema.String
}) {}

/** Changes a did:plc by an operation that this host's rotation key signs; `change` answers nothing where all is well already. */
export const updatePlc = Effect.fn("updatePlc")(function* (
  did: string,
  change: (data: PlcData) => Partial<PlcData> | undefined
) {
  const plc = yield* PlcDirectory
  const keys = yield* Keys
  const last = yield* plc.last(did)
  if (last.type === "plc_tombstone") return yield* new DidDeactivated({ did })
  const data = dataOf(last)
  const changed = change(data)
  if (changed === undefined) return
  const key = rotationKey(yield* Config)
  if (!data.rotationKeys.includes(key.didKey)) return yield* new NotOurDid({ did })
  const operation = updateOperation(last, changed)
  const signer = yield* keys.signer(key)
  const signature = yield* signer.sign(unsignedBytes(operation))
  yield* plc.submit(did, withSignature(operation, signature))
  yield* (yield* Identity).forget(did)
})
