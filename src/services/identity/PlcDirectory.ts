import * as Context from "effect/Context"
import type * as Effect from "effect/Effect"
import * as Schema from "effect/Schema"
import type { DidDocument } from "../../core/identity/didDocument.ts"
import type { PlcData, PlcOperation } from "../../core/identity/plcOperation.ts"
import type { DidDeactivated, DidNotFound } from "./Identity.ts"

/** The directory rejects this operation. */
export class PlcRefused extends Schema.TaggedError<PlcRefused>()("PlcRefused", {
  did: Schema.String,
  reason: Schema.String
}) {}

/** The directory is unreachable or overloaded, or sent an invalid response. */
export class PlcUnavailable extends Schema.TaggedError<PlcUnavailable>()("PlcUnavailable", {
  operation: Schema.String,
  /** How long the directory asks to wait, in milliseconds; set if it limits requests. */
  retryAfter: Schema.optional(Schema.Finite),
  cause: Schema.optional(Schema.Defect())
}) {}

/**
 * The PLC directory: the public log behind did:plc.
 *
 * A read just after a write may be stale (the directory has replicas), so don't verify your own
 * operation by reading it back.
 */
export class PlcDirectory extends Context.Service<
  PlcDirectory,
  {
    /** Creates, changes or ends a DID; the operation is signed and names its predecessor. */
    submit(did: string, operation: PlcOperation): Effect.Effect<void, PlcRefused | PlcUnavailable>
    /** The current operations, oldest first. */
    log(did: string): Effect.Effect<ReadonlyArray<PlcOperation>, DidNotFound | PlcUnavailable>
    /** The last operation, for the next one's `prev`; may be a tombstone. */
    last(did: string): Effect.Effect<PlcOperation, DidNotFound | PlcUnavailable>
    data(did: string): Effect.Effect<PlcData, DidNotFound | DidDeactivated | PlcUnavailable>
    document(did: string): Effect.Effect<DidDocument, DidNotFound | DidDeactivated | PlcUnavailable>
  }
>()("nacre/services/PlcDirectory") {}
