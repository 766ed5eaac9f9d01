import { type DidDocument, makeDidDocument } from "./didDocument.ts"
import {
  cidOfOperation,
  dataOf,
  didOfGenesis,
  InvalidPlcOperation,
  type PlcData,
  type PlcOperation,
  signerOf
} from "./plcOperation.ts"

/** A DID's current data; null after a tombstone. */
export interface PlcState {
  readonly did: string
  readonly data: PlcData | null
}

/**
 * Checks that an operation may follow a log, and returns the DID's new state.
 *
 * The first must create this DID and be signed with one of its own rotation keys; each later one
 * names its predecessor and is signed with a current key. Does not cover the 72 hours in which a
 * stronger key may undo.
 */
const checkNext = (did: string, last: PlcOperation | undefined, next: PlcOperation): PlcState => {
  let judge: Parameters<typeof dataOf>[0]
  if (last === undefined) {
    if (next.type === "plc_tombstone") throw new InvalidPlcOperation("nothing to end")
    if (next.prev !== null) throw new InvalidPlcOperation("the first operation has a prev")
    if (didOfGenesis(next) !== did) {
      throw new InvalidPlcOperation("the operation makes another DID")
    }
    judge = next
  } else {
    if (last.type === "plc_tombstone") throw new InvalidPlcOperation("the DID has a tombstone")
    if (next.type === "create") throw new InvalidPlcOperation("create is only ever first")
    if (next.prev !== cidOfOperation(last).toString()) {
      throw new InvalidPlcOperation("prev is not the last operation")
    }
    judge = last
  }
  if (signerOf(next, dataOf(judge).rotationKeys) === undefined) {
    throw new InvalidPlcOperation("not signed by a rotation key")
  }
  return { did, data: next.type === "plc_tombstone" ? null : dataOf(next) }
}

/** Verifies a whole log, oldest first, and returns the DID's state. */
export const verifyLog = (did: string, log: ReadonlyArray<PlcOperation>): PlcState => {
  let last: PlcOperation | undefined
  let state: PlcState | undefined
  for (const operation of log) {
    state = checkNext(did, last, operation)
    last = operation
  }
  if (state === undefined) throw new InvalidPlcOperation("the log is empty")
  return state
}

/** The DID document of a DID's PLC data. */
export const documentOf = (did: string, data: PlcData): DidDocument =>
  makeDidDocument({
    did,
    alsoKnownAs: data.alsoKnownAs,
    keys: data.verificationMethods,
    services: data.services
  })

/** A small in-memory PLC directory: the verified operations of many DIDs. */
export class PlcLogs {
  readonly #logs: Map<string, ReadonlyArray<PlcOperation>>

  constructor(logs: Iterable<readonly [did: string, log: ReadonlyArray<PlcOperation>]> = []) {
    this.#logs = new Map(logs)
    for (const [did, log] of this.#logs) verifyLog(did, log)
  }

  /** Adds an operation, or throws InvalidPlcOperation and changes nothing. */
  submit(did: string, operation: PlcOperation): PlcState {
    const log = this.#logs.get(did) ?? []
    const state = checkNext(did, log.at(-1), operation)
    this.#logs.set(did, [...log, operation])
    return state
  }

  /** The operations of a DID, oldest first; undefined if it doesn't exist. */
  log(did: string): ReadonlyArray<PlcOperation> | undefined {
    return this.#logs.get(did)
  }

  /** The state of a DID; undefined if it doesn't exist. */
  state(did: string): PlcState | undefined {
    const last = this.#logs.get(did)?.at(-1)
    if (last === undefined) return undefined
    return { did, data: last.type === "plc_tombstone" ? null : dataOf(last) }
  }

  /** Every DID with its log. */
  entries(): IterableIterator<[did: string, log: ReadonlyArray<PlcOperation>]> {
    return this.#logs.entries()
  }
}
