import { isDidKey } from "./didKey.ts"
import {
  InvalidPlcOperation,
  maxOperationBytes,
  type PlcData,
  type PlcOperation,
  type PlcService,
  signedBytes
} from "./plcOperation.ts"

type Json = Readonly<Record<string, unknown>>

const fail = (message: string): never => {
  throw new InvalidPlcOperation(message)
}

const object = (value: unknown, what: string): Json =>
  typeof value === "object" && value !== null && !Array.isArray(value)
    ? (value as Json)
    : fail(`${what} is not an object`)

const text = (value: unknown, what: string, limit: number): string =>
  typeof value === "string" && value.length > 0 && value.length <= limit
    ? value
    : fail(`${what} is not a text of at most ${limit} characters`)

const texts = (value: unknown, what: string, count: number, limit: number): Array<string> => {
  if (!Array.isArray(value)) return fail(`${what} is not a list`)
  if (value.length > count) return fail(`${what} has more than ${count} entries`)
  const list = value.map((entry) => text(entry, what, limit))
  return new Set(list).size === list.length ? list : fail(`${what} names something twice`)
}

const map = <A>(value: unknown, what: string, read: (entry: unknown) => A): Record<string, A> => {
  const pairs = Object.entries(object(value, what))
  if (pairs.length > 10) return fail(`${what} has more than 10 entries`)
  return Object.fromEntries(pairs.map(([id, entry]) => [text(id, `${what} id`, 32), read(entry)]))
}

const key = (value: unknown, what: string): string => {
  const didKey = text(value, what, 256)
  return isDidKey(didKey) ? didKey : fail(`${what} is not a did:key of K-256 or P-256`)
}

const service = (value: unknown): PlcService => {
  const entry = object(value, "service")
  only(entry, ["type", "endpoint"])
  return {
    type: text(entry["type"], "service type", 256),
    endpoint: text(entry["endpoint"], "service endpoint", 512)
  }
}

const only = (value: Json, fields: ReadonlyArray<string>): void => {
  const other = Object.keys(value).find((field) => !fields.includes(field))
  if (other !== undefined) fail(`unknown field ${other.slice(0, 64)}`)
}

/** A did:key of any curve: verification methods may use others than AT Protocol does. */
const anyKey = (value: unknown): string => {
  const didKey = text(value, "verification method", 256)
  return /^did:key:z[1-9A-HJ-NP-Za-km-z]+$/.test(didKey)
    ? didKey
    : fail("verification method is not a did:key")
}

const prevOf = (value: unknown): string => text(value, "prev", 128)

const dataFields = (json: Json): PlcData => {
  const rotationKeys = texts(json["rotationKeys"], "rotationKeys", 10, 256)
  if (rotationKeys.length === 0) fail("rotationKeys is empty")
  for (const rotationKey of rotationKeys) key(rotationKey, "rotation key")
  return {
    rotationKeys,
    verificationMethods: map(json["verificationMethods"], "verificationMethods", anyKey),
    alsoKnownAs: texts(json["alsoKnownAs"], "alsoKnownAs", 10, 258),
    services: map(json["services"], "services", service)
  }
}

const readOperation = (json: Json): PlcOperation => {
  const sig = text(json["sig"], "sig", 128)
  switch (json["type"]) {
    case "plc_operation": {
      only(json, [
        "type",
        "rotationKeys",
        "verificationMethods",
        "alsoKnownAs",
        "services",
        "prev",
        "sig"
      ])
      return {
        type: "plc_operation",
        ...dataFields(json),
        prev: json["prev"] === null ? null : prevOf(json["prev"]),
        sig
      }
    }
    case "plc_tombstone":
      only(json, ["type", "prev", "sig"])
      return { type: "plc_tombstone", prev: prevOf(json["prev"]), sig }
    case "create":
      only(json, ["type", "signingKey", "recoveryKey", "handle", "service", "prev", "sig"])
      if (json["prev"] !== null) fail("prev of a create operation is not null")
      return {
        type: "create",
        signingKey: key(json["signingKey"], "signingKey"),
        recoveryKey: key(json["recoveryKey"], "recoveryKey"),
        handle: text(json["handle"], "handle", 258),
        service: text(json["service"], "service", 512),
        prev: null,
        sig
      }
    default:
      return fail("unknown operation type")
  }
}

/**
 * Parses a signed operation from JSON, with the directory's limits; doesn't check the signature.
 */
export const parseOperation = (json: unknown): PlcOperation => {
  const operation = readOperation(object(json, "operation"))
  if (signedBytes(operation).length > maxOperationBytes) {
    fail(`the operation is larger than ${maxOperationBytes} bytes`)
  }
  return operation
}

/** Parses a DID's current data, as the directory returns it. */
export const parsePlcData = (json: unknown): PlcData => dataFields(object(json, "data"))
