import { decodeFirst } from "cborg"
import { WebAuthnFault } from "./fault.ts"

/** A map of CBOR: its keys may be numbers, unlike those of DAG-CBOR. */
export type CborMap = ReadonlyMap<unknown, unknown>

const strict = {
  strict: true,
  allowIndefinite: false,
  allowUndefined: false,
  useMaps: true,
  rejectDuplicateMapKeys: true
}

/** Decodes the map that the bytes begin with, and answers what follows it; throws WebAuthnFault. */
export const decodeMap = (bytes: Uint8Array): [map: CborMap, rest: Uint8Array] => {
  let decoded: [unknown, Uint8Array]
  try {
    decoded = decodeFirst(bytes, strict)
  } catch {
    throw new WebAuthnFault("malformed CBOR")
  }
  const [value, rest] = decoded
  if (!(value instanceof Map)) throw new WebAuthnFault("not a map of CBOR")
  return [value, rest]
}
