/**
 * `nacre/repo`: AT Protocol repositories as a library, for Node, Workers and browsers.
 *
 * Verifies whole repos, single records and commits of the event stream; reads and writes CARs, DAG-CBOR and CIDs.
 */
export { type Block, carBytes, type CarReader, InvalidCar, readCar } from "./core/repo/car.ts"
export { type Data, encode, InvalidCbor } from "./core/repo/cbor.ts"
export { decode } from "./core/repo/cborDecode.ts"
export type { LooseData } from "./core/repo/cborLoose.ts"
export { Cid, cidForCbor, cidForRaw, InvalidCid, parseCid } from "./core/repo/cid.ts"
export { type Commit, InvalidCommit } from "./core/repo/commit.ts"
export {
  type CommitMessage,
  InvalidFrame,
  readFrame,
  type RepoMessage,
  type VerifiedCommit,
  verifyCommit
} from "./core/repo/events.ts"
export type { RepoOp } from "./core/repo/frame.ts"
export { fromJson, InvalidData, toJson } from "./core/repo/json.ts"
export { InvalidInversion } from "./core/repo/mst/invert.ts"
export { MissingBlock } from "./core/repo/mst/loader.ts"
export { InvalidNode } from "./core/repo/mst/node.ts"
export {
  InvalidProof,
  type ProofOf,
  readRecordProof as verifyRecord
} from "./core/repo/recordProof.ts"
export { isTid, tidFromMicros, tidToMicros } from "./core/repo/tid.ts"
export {
  type ByteSource,
  InvalidRepo,
  type RepoRecord,
  type VerifiedRepo,
  verifyRepo
} from "./core/repo/verifyRepo.ts"
export { firehose, type FirehoseOptions } from "./firehose.ts"
