import { sameBytes } from "../bytes.ts"
import type { Block } from "../car.ts"
import { InvalidCar } from "../carParser.ts"
import { type Data, InvalidCbor } from "../cbor.ts"
import { decode } from "../cborDecode.ts"
import { sha256 } from "../cid.ts"
import { isMap } from "../json.ts"
import { maxRecordBytes } from "../limits.ts"

/** Thrown for a block that is not what a record may be. */
export class InvalidRecord extends Error {
  override readonly name = "InvalidRecord"

  constructor(path: string, problem: string) {
    super(`the record ${path} ${problem}`)
  }
}

/** Reads the block of a record from outside; throws InvalidCar and InvalidRecord. */
export const readRecord = ({ cid, bytes }: Block, path: string): { [key: string]: Data } => {
  if (!sameBytes(sha256(bytes), cid.digest)) {
    throw new InvalidCar(`block ${cid} does not match its digest`)
  }
  if (bytes.length > maxRecordBytes) {
    throw new InvalidRecord(path, `has ${bytes.length} bytes (max ${maxRecordBytes})`)
  }
  const record = decoded(bytes, path)
  if (!isMap(record)) throw new InvalidRecord(path, "is no object")
  return record
}

const decoded = (bytes: Uint8Array, path: string): Data => {
  try {
    return decode(bytes)
  } catch (error) {
    if (error instanceof InvalidCbor) {
      throw new InvalidRecord(
        path,
        `is not in the form of DAG-CBOR that records have: ${error.message}`
      )
    }
    throw error
  }
}
