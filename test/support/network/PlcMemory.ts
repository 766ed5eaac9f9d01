import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import { documentOf, PlcLogs } from "../../../src/core/identity/plcLog.ts"
import { InvalidPlcOperation, type PlcData } from "../../../src/core/identity/plcOperation.ts"
import { parseOperation } from "../../../src/core/identity/plcParse.ts"
import { DidDeactivated, DidNotFound } from "../../../src/services/identity/Identity.ts"
import { PlcDirectory, PlcRefused } from "../../../src/services/identity/PlcDirectory.ts"

const make = (): PlcDirectory["Service"] => {
  const logs = new PlcLogs()

  const log = Effect.fnUntraced(function* (did: string) {
    return yield* Effect.fromNullishOr(logs.log(did)).pipe(
      Effect.mapError(() => new DidNotFound({ did }))
    )
  })

  const data = Effect.fnUntraced(function* (
    did: string
  ): Effect.fn.Return<PlcData, DidNotFound | DidDeactivated> {
    const state = logs.state(did)
    if (state === undefined) return yield* new DidNotFound({ did })
    if (state.data === null) return yield* new DidDeactivated({ did })
    return state.data
  })

  return PlcDirectory.of({
    submit: (did, operation) =>
      Effect.try({
        try: () => void logs.submit(did, parseOperation(operation)),
        catch: (error) =>
          new PlcRefused({
            did,
            reason: error instanceof InvalidPlcOperation ? error.message : String(error)
          })
      }),
    log,
    last: (did) =>
      log(did).pipe(
        Effect.flatMap((operations) => Effect.fromNullishOr(operations.at(-1))),
        Effect.mapError(() => new DidNotFound({ did }))
      ),
    data,
    document: (did) => data(did).pipe(Effect.map((state) => documentOf(did, state)))
  })
}

/** An in-memory PLC directory, which checks every operation as the real one does. */
export const layer: Layer.Layer<PlcDirectory> = Layer.sync(PlcDirectory, make)
