import type {
  ComAtprotoRepoDescribeRepo as DescribeRepo,
  ComAtprotoRepoGetRecord as GetRecord,
  ComAtprotoRepoListMissingBlobs as ListMissingBlobs,
  ComAtprotoRepoListRecords as ListRecords
} from "@atproto/api"
import * as Effect from "effect/Effect"
import { handleOf } from "../../core/identity/didDocument.ts"
import { isAtUri, isNsid } from "../../core/lexicon/syntax.ts"
import { blockToJsonText } from "../../core/repo/jsonText.ts"
import { BlobIndex } from "../../services/blobs/BlobIndex.ts"
import { Identity } from "../../services/identity/Identity.ts"
import { ownDocument } from "../../services/identity/HostedDidDocument.ts"
import { RecordNotFound, Records } from "../../services/repo/Records.ts"
import { Repo } from "../../services/repo/Repo.ts"
import { Takedowns } from "../../services/accounts/Takedowns.ts"
import { jsonType } from "../responses.ts"
import { type Call, method } from "../Xrpc.ts"
import { readableAccount } from "../../services/accounts/AccountStatus.ts"

const json = { headers: { "content-type": jsonType } }

/** com.atproto.repo.getRecord */
export const getRecord = method(
  "com.atproto.repo.getRecord",
  { at: "account", authority: { kind: "optional" } },
  Effect.fnUntraced(function* ({ params, caller }: Call<GetRecord.QueryParams>) {
    const { did } = yield* readableAccount(caller)
    const path = `${params.collection}/${params.rkey}`
    const uri = `at://${did}/${path}`
    const record = (yield* Records).get(path)
    if (
      record === undefined ||
      (caller.kind !== "admin" && (yield* Takedowns).record(path) !== undefined) ||
      (params.cid !== undefined && params.cid !== record.cid.toString())
    ) {
      return yield* new RecordNotFound({ uri })
    }
    return new Response(
      `{"uri":${JSON.stringify(uri)},"cid":"${record.cid.toString()}","value":${blockToJsonText(record.value)}}`,
      json
    )
  })
)

/** com.atproto.repo.listRecords: newest first; the cursor is the last rkey, exclusive. */
export const listRecords = method(
  "com.atproto.repo.listRecords",
  { at: "account", authority: { kind: "optional" } },
  Effect.fnUntraced(function* ({
    params,
    caller
  }: Call<ListRecords.QueryParams & { limit: number }>) {
    const { did } = yield* readableAccount(caller)
    const { collection, limit, cursor, reverse } = params
    const { more, records } = (yield* Records).page({
      collection,
      limit,
      ascending: reverse === true,
      ...(cursor === undefined ? {} : { after: cursor })
    })
    // A page may be short of what is taken down; its cursor is not.
    const hidden = (yield* Takedowns).inCollection(collection)
    const shown =
      hidden.size === 0 || caller.kind === "admin"
        ? records
        : records.filter(({ path }) => !hidden.has(path))
    const texts = shown.map(
      ({ path, cid, value }) =>
        `{"uri":"at://${did}/${path}","cid":"${cid.toString()}","value":${blockToJsonText(value)}}`
    )
    const last = records.at(-1)?.path.slice(collection.length + 1)
    const next = more && last !== undefined ? `"cursor":${JSON.stringify(last)},` : ""
    return new Response(`{${next}"records":[${texts.join(",")}]}`, json)
  })
)

/** com.atproto.repo.describeRepo */
export const describeRepo = method(
  "com.atproto.repo.describeRepo",
  { at: "account", authority: { kind: "optional" } },
  Effect.fnUntraced(function* ({ caller }: Call<DescribeRepo.QueryParams>) {
    const account = yield* readableAccount(caller)
    // An import may have brought others, which nobody can ask for and clients would not take.
    const collections = (yield* (yield* Repo).collections).filter(isNsid)
    const { did, handle } = account
    const didDoc = yield* ownDocument(account)
    const leadsTo = yield* Effect.orElseSucceed(
      (yield* Identity).resolveHandle(handle),
      () => undefined
    )
    const handleIsCorrect = leadsTo === did && handleOf(didDoc) === handle
    return { handle, did, didDoc, collections, handleIsCorrect }
  })
)

/** The URI of a record; of one whose path makes none, which an import has kept, that of its repo. */
const recordUri = (did: string, path: string): string => {
  const uri = `at://${did}/${path}`
  return isAtUri(uri) ? uri : `at://${did}`
}

/** com.atproto.repo.listMissingBlobs */
export const listMissingBlobs = method(
  "com.atproto.repo.listMissingBlobs",
  { at: "account", authority: { kind: "session", level: "standard", oauth: "any" } },
  Effect.fnUntraced(function* ({
    params,
    caller
  }: Call<ListMissingBlobs.QueryParams & { limit: number }>) {
    const { did } = yield* readableAccount(caller)
    const page = (yield* BlobIndex).missing(params)
    return {
      ...(page.cursor === undefined ? {} : { cursor: page.cursor }),
      blobs: page.items.map(({ cid, path }) => ({ cid, recordUri: recordUri(did, path) }))
    }
  })
)

/** The reading methods of a repo. */
export const repoReadMethods = [getRecord, listRecords, describeRepo, listMissingBlobs]
