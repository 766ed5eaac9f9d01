import * as Effect from "effect/Effect"
import * as Redacted from "effect/Redacted"
import * as Schema from "effect/Schema"
import * as HttpClient from "effect/http/HttpClient"
import * as HttpClientRequest from "effect/http/HttpClientRequest"
import { signBytes } from "../../identity/didKey.ts"
import {
  dataOf,
  type PlcData,
  type PlcOperation,
  unsignedBytes,
  updateOperation,
  withSignature
} from "../../identity/plcOperation.ts"
import { parseOperation } from "../../identity/plcParse.ts"
import { Failed, Unreachable } from "../failure.ts"
import { plcUrl } from "../place.ts"
import type { RecoveryKey } from "../recoveryKey.ts"
import { fetchJson } from "../xrpc.ts"

/** Every operation of a DID that is in force, the first one first. */
export const plcLogOf = Effect.fn("cli.plcLogOf")(function* (did: string) {
  const directory = yield* plcUrl
  const json = yield* fetchJson(`${directory}/${did}/log`)
  const log = yield* Effect.try({
    try: () => (Array.isArray(json) ? json.map(parseOperation) : []),
    catch: () => new Failed({ message: `${directory} has a log of ${did} that cannot be read` })
  })
  const last = log.at(-1)
  if (last === undefined) return yield* new Failed({ message: `${directory} does not know ${did}` })
  if (last.type === "plc_tombstone") {
    return yield* new Failed({ message: `${did} was ended: nothing can bring it back` })
  }
  const states = log.flatMap((one) => (one.type === "plc_tombstone" ? [] : [dataOf(one)]))
  return { last, data: dataOf(last), states }
})

/** The operation that follows a DID's last one, signed with the recovery key. */
export const signedWith = (key: RecoveryKey, last: PlcOperation, change: Partial<PlcData>) => {
  const next = updateOperation(last, change)
  return withSignature(next, signBytes(key.curve, Redacted.value(key.secret), unsignedBytes(next)))
}

const Refusal = Schema.Struct({ message: Schema.String })

/** Hands an operation to the directory itself. */
export const submitPlc = Effect.fn("cli.submitPlc")(function* (
  did: string,
  operation: PlcOperation
) {
  const directory = yield* plcUrl
  const client = yield* HttpClient.HttpClient
  const request = HttpClientRequest.bodyJsonUnsafe(
    HttpClientRequest.post(`${directory}/${did}`),
    operation
  )
  const response = yield* Effect.mapError(
    client.execute(request),
    ({ message }) => new Unreachable({ server: directory, why: message })
  )
  if (response.status < 300) return
  const why = yield* response.json.pipe(
    Effect.flatMap(Schema.decodeUnknownEffect(Refusal)),
    Effect.map(({ message }) => message),
    Effect.orElseSucceed(() => String(response.status))
  )
  return yield* new Failed({ message: `${directory} refused the operation: ${why}` })
})
