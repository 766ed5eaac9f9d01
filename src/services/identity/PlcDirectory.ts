import * as Context from "effect/Context"
import type * as Effect from "effect/Effect"
import * as Schema from "effect/Schema"
import type { DidDocument } from "../../core/identity/didDocument.ts"
import type { PlcData, PlcOperation } from "../../core/identity/plcOperation.ts"
import type { DidDeactivated, DidNotFound } from "./Identity.ts"

/** The directory does not take this operation. */
export class PlcRefused extends Schema.TaggedError<PlcRefused>()("PlcRefused", {
  did: Schema.String,
  reason: Schema.String
}) {}

/** The directory could not be reached, is overloaded, or answered with nonsense. */
export class PlcUnavailable extends Schema.TaggedError<PlcUnavailable>()("PlcUnavailable", {
  operation: Schema.String,
  cause: Schema.optional(Schema.Defect())
}) {}

/**
 * The PLC directory: the public log behind did:plc.
 *
 * A read just after a write may be stale (the directory has replicas): do not verify an own operation by reading it back.
 */
export class PlcDirectory extends Context.Service<
  PlcDirectory,
  {
    /** Makes a DID, or changes or ends one: the operation is signed and names its forerunner. */
    submit(did: string, operation: PlcOperation): Effect.Effect<void, PlcRefused | PlcUnavailable>
    /** The operations in force, oldest first. */
    log(did: string): Effect.Effect<ReadonlyArray<PlcOperation>, DidNotFound | PlcUnavailable>
    /** The last operation, which the next one's `prev` must name; a tombstone is one too. */
    last(did: string): Effect.Effect<PlcOperation, DidNotFound | PlcUnavailable>
    data(did: string): Effect.Effect<PlcData, DidNotFound | DidDeactivated | PlcUnavailable>
    document(did: string): Effect.Effect<DidDocument, DidNotFound | DidDeactivated | PlcUnavailable>
  }
>()("nacre/services/PlcDirectory") {}
