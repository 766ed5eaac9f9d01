import type { Data } from "../../src/core/repo/cbor.ts"
import { fromJson, InvalidData, isMap } from "../../src/core/repo/json.ts"

/** Reads the JSON form of a record, which is an object. */
export const recordFromJson = (value: unknown): { [key: string]: Data } => {
  const data = fromJson(value)
  if (!isMap(data)) throw new InvalidData("a record must be an object")
  return data
}
