import * as Clock from "effect/Clock"
import * as Effect from "effect/Effect"
import * as Redacted from "effect/Redacted"
import * as Schema from "effect/Schema"
import * as HttpClient from "effect/http/HttpClient"
import * as HttpClientRequest from "effect/http/HttpClientRequest"
import { signBytes } from "../../core/identity/didKey.ts"
import {
  dataOf,
  type PlcData,
  type PlcOperation,
  unsignedBytes,
  updateOperation,
  withSignature
} from "../../core/identity/plcOperation.ts"
import { parseOperation } from "../../core/identity/plcParse.ts"
import { Words } from "../answers.ts"
import { Failed, Unreachable } from "../failure.ts"
import { plcUrl } from "../place.ts"
import type { RecoveryKey } from "../recoveryKey.ts"
import { fetchJson } from "../xrpc.ts"

/** A DID's valid operations, oldest first. */
export const plcLogOf = Effect.fn("cli.plcLogOf")(function* (did: string) {
  const directory = yield* plcUrl
  const json = yield* fetchJson(`${directory}/${did}/log`)
  const log = yield* Effect.try({
    try: () => (Array.isArray(json) ? json.map(parseOperation) : []),
    catch: () => new Failed({ message: `Couldn't read the log of ${did} on ${directory}` })
  })
  const last = log.at(-1)
  if (last === undefined) return yield* new Failed({ message: `${directory} doesn't know ${did}` })
  if (last.type === "plc_tombstone") {
    return yield* new Failed({ message: `${did} was permanently deleted and can't be recovered` })
  }
  const states = log.flatMap((one) => (one.type === "plc_tombstone" ? [] : [dataOf(one)]))
  return { last, data: dataOf(last), states }
})

/** How long a key can override a lower one, in milliseconds. Spec: did:plc, recovery. */
const recoveryWindow = 72 * 3_600_000

const Audit = Schema.Array(
  Schema.Struct({
    operation: Schema.Unknown,
    nullified: Schema.Boolean,
    createdAt: Words
  })
)

/**
 * The operation that a key builds on: the DID's last one, or the last that lists the key if it was
 * removed since.
 *
 * The directory judges whether the key has authority over the one that removed it.
 */
export const baseFor = Effect.fn("cli.baseFor")(function* (did: string, didKey: string) {
  const { last, data, states } = yield* plcLogOf(did)
  if (data.rotationKeys.includes(didKey)) return { last, data, states, undoes: undefined }
  const directory = yield* plcUrl
  const entries = yield* fetchJson(`${directory}/${did}/log/audit`).pipe(
    Effect.flatMap(Schema.decodeUnknownEffect(Audit)),
    Effect.orElseSucceed(() => [])
  )
  const inForce = entries.filter(({ nullified }) => !nullified)
  const named = states.findLastIndex(({ rotationKeys }) => rotationKeys.includes(didKey))
  const base = inForce[named]
  const takenOut = inForce[named + 1]
  if (base === undefined || takenOut === undefined) {
    return yield* new Failed({
      message: `${didKey} isn't a rotation key of ${did}, so it can't recover the account`,
      next: `Keys that can: ${data.rotationKeys.join(", ")}`
    })
  }
  const age = (yield* Clock.currentTimeMillis) - Date.parse(takenOut.createdAt)
  if (!(age < recoveryWindow)) {
    return yield* new Failed({
      message: `${didKey} was removed from the rotation keys of ${did} at ${takenOut.createdAt}, more than 72 hours ago`,
      next: `Keys that can recover it: ${data.rotationKeys.join(", ")}`
    })
  }
  const operation = yield* Effect.try({
    try: () => parseOperation(base.operation),
    catch: () => new Failed({ message: `Couldn't read the log of ${did} on ${directory}` })
  })
  return { last: operation, data: states[named]!, states, undoes: takenOut.createdAt }
})

/** The next operation after another, signed with the recovery key. */
export const signedWith = (key: RecoveryKey, last: PlcOperation, change: Partial<PlcData>) => {
  const next = updateOperation(last, change)
  return withSignature(next, signBytes(key.curve, Redacted.value(key.secret), unsignedBytes(next)))
}

const Refusal = Schema.Struct({ message: Words })

/** Submits an operation to the directory. */
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
  return yield* new Failed({ message: `${directory} rejected the operation: ${why}` })
})
