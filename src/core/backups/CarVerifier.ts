import { sameBytes } from "../bytes/bytes.ts"
import { verifyBytes } from "../identity/didKey.ts"
import { blobCids } from "../lexicon/Lexicons.ts"
import type { Block } from "../repo/car.ts"
import { CarParser, InvalidCar } from "../repo/carParser.ts"
import { type Cid, sha256 } from "../repo/cid.ts"
import { decodeCommit, InvalidCommit, unsignedCommitBytes } from "../repo/commit.ts"
import { InvalidRecord, readRecord } from "../repo/import/record.ts"
import { InvalidMstKey, keyLayer } from "../repo/mst/key.ts"
import { decodeNode, InvalidNode } from "../repo/mst/node.ts"

/** The content of a complete CAR with a valid signature. */
export interface VerifiedCar {
  readonly commit: string
  readonly rev: string
  /** The root of the tree: the same for the same records. */
  readonly data: string
  readonly records: number
  readonly nodes: number
  /** The CIDs of the blobs that its records refer to. */
  readonly blobs: ReadonlySet<string>
}

/** The block that must come next. */
type Expected =
  | { readonly kind: "node"; readonly cid: Cid; readonly layer: number | undefined }
  | { readonly kind: "record"; readonly cid: Cid; readonly key: string }

/** A node on the way down: even steps are subtrees, odd ones records. */
interface Frame {
  readonly layer: number
  readonly keys: ReadonlyArray<string>
  readonly values: ReadonlyArray<Cid>
  readonly links: ReadonlyArray<Cid | undefined>
  at: number
}

const faults = [InvalidCar, InvalidCommit, InvalidNode, InvalidMstKey, InvalidRecord]

/** Whether an error means that the CAR is invalid. */
export const isCarFault = (error: unknown): error is Error =>
  faults.some((fault) => error instanceof fault)

/**
 * Verifies a repo's CAR as a stream: signature, every digest, the whole tree, and no extra block.
 *
 * It expects the order of this server's exports: the commit, then the tree in pre-order with its records in between. So
 * it needs memory only for the path from the root and the blobs' CIDs. Throws errors that `isCarFault` recognizes.
 */
export class CarVerifier {
  readonly #parser = new CarParser()
  readonly #did: string
  readonly #signingKey: string
  readonly #stack: Array<Frame> = []
  readonly #blobs = new Set<string>()
  #root: Expected | undefined
  #commit: { readonly cid: string; readonly rev: string; readonly data: string } | undefined
  #last = ""
  #records = 0
  #nodes = 0

  /** Expects the repo of a DID, signed with a did:key. */
  constructor({ did, signingKey }: { readonly did: string; readonly signingKey: string }) {
    this.#did = did
    this.#signingKey = signingKey
  }

  /** Takes the next piece of the file. */
  push(piece: Uint8Array): void {
    this.#parser.push(piece)
    for (let block = this.#parser.next(); block !== undefined; block = this.#parser.next()) {
      if (this.#commit === undefined) this.#readCommit(block)
      else this.#read(block)
    }
  }

  /** Returns the file's content, after its last piece. */
  end(): VerifiedCar {
    this.#parser.end()
    if (this.#commit === undefined) throw new InvalidCar("it holds no commit")
    const missing = this.#next()
    if (missing !== undefined) throw new InvalidCar(`block ${missing.cid} is missing`)
    return {
      commit: this.#commit.cid,
      rev: this.#commit.rev,
      data: this.#commit.data,
      records: this.#records,
      nodes: this.#nodes,
      blobs: this.#blobs
    }
  }

  #readCommit(block: Block): void {
    const [root, ...others] = this.#parser.roots ?? []
    if (root === undefined || others.length > 0) throw new InvalidCar("it must have one root")
    assertIs(block, root)
    const { did, rev, data, prev, sig } = decodeCommit(block.bytes)
    if (did !== this.#did) throw new InvalidCommit(`the commit is of ${did}, not of ${this.#did}`)
    if (!verifyBytes(this.#signingKey, unsignedCommitBytes({ did, data, rev, prev }), sig)) {
      throw new InvalidCommit("the commit is not signed with the account's key")
    }
    this.#root = { kind: "node", cid: data, layer: undefined }
    this.#commit = { cid: root.toString(), rev, data: data.toString() }
  }

  #read(block: Block): void {
    const expected = this.#next()
    if (expected === undefined) throw new InvalidCar(`block ${block.cid} belongs to no record`)
    if (expected.kind === "node") return this.#readNode(block, expected)
    if (!block.cid.equals(expected.cid))
      throw new InvalidCar(`the record ${expected.key} is missing`)
    const { fields } = readRecord(block, expected.key)
    for (const blob of blobCids(fields)) this.#blobs.add(blob)
    this.#records++
  }

  #readNode(block: Block, { cid, layer }: Extract<Expected, { kind: "node" }>): void {
    assertIs(block, cid)
    // A copy: the frame outlives the parser's buffer.
    const node = decodeNode(block.bytes.slice(), layer)
    for (const key of node.keys) {
      if (keyLayer(key) !== node.layer) throw new InvalidNode(`the key ${key} is on a wrong layer`)
    }
    this.#nodes++
    this.#root = undefined
    this.#stack.push({ ...node, at: 0 })
  }

  #next(): Expected | undefined {
    if (this.#root !== undefined) return this.#root
    for (let frame = this.#stack.at(-1); frame !== undefined; frame = this.#stack.at(-1)) {
      const at = frame.at++
      if (at > 2 * frame.keys.length) {
        this.#stack.pop()
      } else if (at % 2 === 1) {
        const key = frame.keys[at >>> 1]!
        if (key <= this.#last) throw new InvalidNode("keys out of order")
        this.#last = key
        return { kind: "record", key, cid: frame.values[at >>> 1]! }
      } else {
        const cid = frame.links[at >>> 1]
        if (cid !== undefined) return { kind: "node", cid, layer: frame.layer - 1 }
      }
    }
    return undefined
  }
}

const assertIs = ({ cid, bytes }: Block, expected: Cid): void => {
  if (!cid.equals(expected)) throw new InvalidCar(`block ${expected} is missing`)
  if (!sameBytes(sha256(bytes), expected.digest)) {
    throw new InvalidCar(`block ${expected} does not match its digest`)
  }
}
