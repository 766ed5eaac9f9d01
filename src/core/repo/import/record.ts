import { sameBytes } from "../../bytes/bytes.ts"
import type { Block } from "../car.ts"
import { InvalidCar } from "../carParser.ts"
import { type ReadRecord, readStoredRecord } from "../cborLoose.ts"
import { sha256 } from "../cid.ts"
import { maxRecordBytes } from "../limits.ts"

/** Thrown for a block that is too large to be a record. */
export class InvalidRecord extends Error {
  override readonly name = "InvalidRecord"

  constructor(path: string, problem: string) {
    super(`the record ${path} ${problem}`)
  }
}

/** Parses a foreign record's block, whatever it holds; throws InvalidCar and InvalidRecord. */
export const readRecord = ({ cid, bytes }: Block, path: string): ReadRecord => {
  if (!sameBytes(sha256(bytes), cid.digest)) {
    throw new InvalidCar(`block ${cid} does not match its digest`)
  }
  if (bytes.length > maxRecordBytes) {
    throw new InvalidRecord(path, `has ${bytes.length} bytes (max ${maxRecordBytes})`)
  }
  return readStoredRecord(bytes)
}
