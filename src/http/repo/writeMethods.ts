import type {
  ComAtprotoRepoApplyWrites as ApplyWrites,
  ComAtprotoRepoCreateRecord as CreateRecord,
  ComAtprotoRepoDeleteRecord as DeleteRecord,
  ComAtprotoRepoPutRecord as PutRecord
} from "@atproto/api"
import * as Effect from "effect/Effect"
import {
  type Committed,
  type RecordData,
  Repo,
  type Write,
  type WriteResult
} from "../../services/repo/Repo.ts"
import type { Permission } from "../../core/oauth/types.ts"
import type { NeedsOf } from "../../services/sessions/Authority.ts"
import { BlobIndex } from "../../services/blobs/BlobIndex.ts"
import { nameOldBlobs } from "../../services/repo/write/earlierBlobs.ts"
import { readCid } from "../input.ts"
import { type Call, method } from "../Xrpc.ts"
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

const cidIn = Effect.fnUntraced(function* (text: string | undefined) {
  return text === undefined ? undefined : yield* readCid(text)
})

const commitOf = ({ commit }: Committed) =>
  commit === undefined ? {} : { commit: { cid: commit.cid.toString(), rev: commit.rev } }

const resultOf = ({ uri, cid, validationStatus }: WriteResult) => ({
  uri,
  ...(cid === undefined ? {} : { cid: cid.toString() }),
  ...(validationStatus === undefined ? {} : { validationStatus })
})

const createRecord = method(
  "com.atproto.repo.createRecord",
  writing(inCollection("create")),
  Effect.fnUntraced(function* ({
    input
  }: Call<CreateRecord.QueryParams, CreateRecord.InputSchema>) {
    yield* ownAccount(input.repo)
    const { collection, rkey, validate } = input
    const record = input.record as RecordData
    const repo = yield* Repo
    const done = yield* repo.write([{ action: "create", collection, rkey, record }], {
      validate,
      swapCommit: yield* cidIn(input.swapCommit),
      replaceDuplicates: validate !== false
    })
    return { ...resultOf(done.results[0]!), ...commitOf(done) }
  })
)

/** com.atproto.repo.putRecord: unchanged content creates no commit. */
const putRecord = method(
  "com.atproto.repo.putRecord",
  // Whether the record exists is known only later, so it may be either.
  writing(inCollection("create", "update")),
  Effect.fnUntraced(function* ({ input }: Call<PutRecord.QueryParams, PutRecord.InputSchema>) {
    yield* ownAccount(input.repo)
    const { collection, rkey, validate, swapRecord } = input
    const given = input.record as RecordData
    const record = nameOldBlobs({ collection, rkey, record: given }, yield* BlobIndex)
    const repo = yield* Repo
    const done = yield* repo.write(
      [
        {
          action: "put",
          collection,
          rkey,
          record,
          swapRecord: swapRecord === null ? null : yield* cidIn(swapRecord)
        }
      ],
      { validate, swapCommit: yield* cidIn(input.swapCommit) }
    )
    return { ...resultOf(done.results[0]!), ...commitOf(done) }
  })
)

/** com.atproto.repo.deleteRecord: deleting a missing record succeeds without a commit. */
const deleteRecord = method(
  "com.atproto.repo.deleteRecord",
  writing(inCollection("delete")),
  Effect.fnUntraced(function* ({
    input
  }: Call<DeleteRecord.QueryParams, DeleteRecord.InputSchema>) {
    yield* ownAccount(input.repo)
    const { collection, rkey } = input
    const repo = yield* Repo
    const done = yield* repo.write(
      [{ action: "delete", collection, rkey, swapRecord: yield* cidIn(input.swapRecord) }],
      { swapCommit: yield* cidIn(input.swapCommit) }
    )
    return commitOf(done)
  })
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
const applyWrites = method(
  "com.atproto.repo.applyWrites",
  writing(ofEachWrite),
  Effect.fnUntraced(function* ({ input }: Call<ApplyWrites.QueryParams, ApplyWrites.InputSchema>) {
    yield* ownAccount(input.repo)
    const repo = yield* Repo
    const blobs = yield* BlobIndex
    const writes = input.writes.map((write) => writeOf(write, blobs))
    const done = yield* repo.write(writes, {
      validate: input.validate,
      swapCommit: yield* cidIn(input.swapCommit)
    })
    const asked = (at: number) => input.writes[at]!.$type!.slice(typeOf.length)
    return {
      ...commitOf(done),
      results: done.results.map((result, at) => ({
        $type: `${typeOf}${asked(at)}Result`,
        ...(result.action === "delete" ? {} : resultOf(result))
      }))
    }
  })
)

export const repoWriteMethods = [createRecord, putRecord, deleteRecord, applyWrites]
