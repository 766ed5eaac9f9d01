import type {
  ComAtprotoRepoApplyWrites as ApplyWrites,
  ComAtprotoRepoCreateRecord as CreateRecord,
  ComAtprotoRepoDeleteRecord as DeleteRecord,
  ComAtprotoRepoPutRecord as PutRecord
} from "@atproto/api"
import * as Context from "effect/Context"
import * as Result from "effect/Result"
import type { Cid } from "../../core/repo/cid.ts"
import type { AccountStore } from "../../services/accounts/AccountStore.ts"
import type { InvalidRequest } from "../../services/failures.ts"
import * as Soon from "../../services/host/Soon.ts"
import {
  type Committed,
  type RecordData,
  Repo,
  type Write,
  type WriteOptions,
  type WriteResult
} from "../../services/repo/Repo.ts"
import type { Permission } from "../../core/oauth/types.ts"
import type { NeedsOf } from "../../services/sessions/Authority.ts"
import { BlobIndex } from "../../services/blobs/BlobIndex.ts"
import { nameOldBlobs } from "../../services/repo/write/earlierBlobs.ts"
import type { Failure } from "../errors.ts"
import { readCid } from "../input.ts"
import { type Call, procedureSoon } from "../Xrpc.ts"
import { ownAccount } from "../accounts/readableAccount.ts"

/** A record of a million bytes may be larger as JSON. */
const writeBodyLimit = 2 * 1024 * 1024

type Action = Extract<Permission, { readonly resource: "repo" }>["action"]

/** The authority and body limit of a write method. */
const writing = (oauth: NeedsOf) =>
  ({
    at: "account",
    authority: { kind: "session", level: "standard", oauth, active: true },
    bodyLimit: writeBodyLimit
  }) as const

/** The permissions to write a record of the input's collection. */
const inCollection =
  (...actions: ReadonlyArray<Action>): NeedsOf =>
  ({ input }) => {
    const { collection } = input as { readonly collection: string }
    return actions.map((action) => ({ resource: "repo", collection, action }))
  }

const cidIn = (text: string | undefined): Result.Result<Cid | undefined, InvalidRequest> =>
  text === undefined ? Result.succeed(undefined) : readCid(text)

type Services = Context.Context<Repo | AccountStore | BlobIndex>

/** Writes to the repo that the input names, which must be the session's own. */
const writeOwn = (
  input: { readonly repo: string; readonly swapCommit?: string; readonly validate?: boolean },
  services: Services,
  writes: () => Result.Result<ReadonlyArray<Write>, InvalidRequest>,
  options: Pick<WriteOptions, "replaceDuplicates"> = {}
): Soon.Soon<Committed, Failure> => {
  const account = ownAccount(input.repo, services)
  if (Result.isFailure(account)) return Result.fail(account.failure)
  const given = writes()
  if (Result.isFailure(given)) return Result.fail(given.failure)
  const swapCommit = cidIn(input.swapCommit)
  if (Result.isFailure(swapCommit)) return Result.fail(swapCommit.failure)
  const { validate } = input
  return Context.get(services, Repo).writeNow(
    given.success,
    { validate, swapCommit: swapCommit.success, ...options },
    services
  )
}

const commitOf = ({ commit }: Committed) =>
  commit === undefined ? {} : { commit: { cid: commit.cid.toString(), rev: commit.rev } }

const resultOf = ({ uri, cid, validationStatus }: WriteResult) => ({
  uri,
  ...(cid === undefined ? {} : { cid: cid.toString() }),
  ...(validationStatus === undefined ? {} : { validationStatus })
})

/** The output of a method that writes one record. */
const oneResult = (done: Committed) => ({ ...resultOf(done.results[0]!), ...commitOf(done) })

const createRecord = procedureSoon(
  "com.atproto.repo.createRecord",
  writing(inCollection("create")),
  ({ input }: Call<unknown, CreateRecord.InputSchema>, services: Services) => {
    const { collection, rkey, validate } = input
    const record = input.record as RecordData
    const writes = () => Result.succeed([{ action: "create", collection, rkey, record } as const])
    const replaceDuplicates = validate !== false
    return Soon.map(writeOwn(input, services, writes, { replaceDuplicates }), oneResult)
  }
)

/** com.atproto.repo.putRecord: unchanged content creates no commit. */
const putRecord = procedureSoon(
  "com.atproto.repo.putRecord",
  // Whether the record exists is known only later, so it may be either.
  writing(inCollection("create", "update")),
  ({ input }: Call<unknown, PutRecord.InputSchema>, services: Services) => {
    const { collection, rkey, swapRecord } = input
    const given = { collection, rkey, record: input.record as RecordData }
    const writes = () =>
      Result.map(swapRecord === null ? Result.succeed(null) : cidIn(swapRecord), (swap) => {
        const record = nameOldBlobs(given, Context.get(services, BlobIndex))
        return [{ action: "put", collection, rkey, record, swapRecord: swap } as const]
      })
    return Soon.map(writeOwn(input, services, writes), oneResult)
  }
)

/** com.atproto.repo.deleteRecord: deleting a missing record succeeds without a commit. */
const deleteRecord = procedureSoon(
  "com.atproto.repo.deleteRecord",
  writing(inCollection("delete")),
  ({ input }: Call<unknown, DeleteRecord.InputSchema>, services: Services) => {
    const { collection, rkey } = input
    const writes = () =>
      Result.map(cidIn(input.swapRecord), (swapRecord) => [
        { action: "delete", collection, rkey, swapRecord } as const
      ])
    return Soon.map(writeOwn(input, services, writes), commitOf)
  }
)

const typeOf = "com.atproto.repo.applyWrites#"

const writeOf = (
  write: ApplyWrites.InputSchema["writes"][number],
  blobs: BlobIndex["Service"]
): Write => {
  const { collection, rkey } = write
  switch (write.$type) {
    case `${typeOf}create`:
      return { action: "create", collection, rkey, record: write.value as RecordData }
    case `${typeOf}update`: {
      const updated = { collection, rkey: write.rkey, record: write.value as RecordData }
      return { action: "update", ...updated, record: nameOldBlobs(updated, blobs) }
    }
    default:
      // The lexicon's union is closed: only a delete is left.
      return { action: "delete", collection, rkey: write.rkey!, strict: true }
  }
}

/** One permission for each write, without duplicates. */
const ofEachWrite: NeedsOf = ({ input }) => {
  const { writes } = input as ApplyWrites.InputSchema
  const needs = writes.map(({ $type, collection }): Permission => {
    const action = $type!.slice(typeOf.length) as Action
    return { resource: "repo", collection, action }
  })
  return [...new Map(needs.map((need) => [JSON.stringify(need), need])).values()]
}

/** com.atproto.repo.applyWrites: all writes in one commit, or none. */
const applyWrites = procedureSoon(
  "com.atproto.repo.applyWrites",
  writing(ofEachWrite),
  ({ input }: Call<unknown, ApplyWrites.InputSchema>, services: Services) => {
    const blobs = Context.get(services, BlobIndex)
    const writes = () => Result.succeed(input.writes.map((write) => writeOf(write, blobs)))
    const asked = (at: number) => input.writes[at]!.$type!.slice(typeOf.length)
    return Soon.map(writeOwn(input, services, writes), (done) => ({
      ...commitOf(done),
      results: done.results.map((result, at) => ({
        $type: `${typeOf}${asked(at)}Result`,
        ...(result.action === "delete" ? {} : resultOf(result))
      }))
    }))
  }
)

export const repoWriteMethods = [createRecord, putRecord, deleteRecord, applyWrites]
