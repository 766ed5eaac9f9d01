import { sameBytes } from "../bytes.ts"
import type { Block } from "../car.ts"
import { InvalidCar } from "../carParser.ts"
import { decode, type Data } from "../cbor.ts"
import { sha256 } from "../cid.ts"
import { isMap } from "../json.ts"
import { maxRecordBytes } from "../limits.ts"

/** Reads the block of a record from outside; throws InvalidCar and InvalidCbor. */
export const readRecord = ({ cid, bytes }: Block, path: string): { [key: string]: Data } => {
  if (!sameBytes(sha256(bytes), cid.digest)) {
    throw new InvalidCar(`block ${cid} does not match its digest`)
  }
  if (bytes.length > maxRecordBytes) {
    throw new InvalidCar(`the record ${path} has ${bytes.length} bytes (max ${maxRecordBytes})`)
  }
  const record = decode(bytes)
  if (!isMap(record)) throw new InvalidCar(`the record ${path} is no map`)
  return record
}
