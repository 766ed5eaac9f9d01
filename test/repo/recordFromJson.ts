import type { Data } from "../../src/core/repo/cbor.ts"
import { fromJson, InvalidData, isMap } from "../../src/core/repo/json.ts"

/** Reads a record from its JSON, which must be an object. */
export const recordFromJson = (value: unknown): { [key: string]: Data } => {
  const data = fromJson(value)
  if (!isMap(data)) throw new InvalidData("a record must be an object")
  return data
}
