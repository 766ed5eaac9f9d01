import type {
  ComAtprotoRepoDescribeRepo as DescribeRepo,
  ComAtprotoRepoGetRecord as GetRecord,
  ComAtprotoRepoListMissingBlobs as ListMissingBlobs,
  ComAtprotoRepoListRecords as ListRecords
} from "@atproto/api"
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Result from "effect/Result"
import { handleOf } from "../../core/identity/didDocument.ts"
import { isAtUri, isNsid } from "../../core/lexicon/syntax.ts"
import { blockToJsonText } from "../../core/repo/jsonText.ts"
import { BlobIndex } from "../../services/blobs/BlobIndex.ts"
import type { Config } from "../../services/host/Config.ts"
import * as Soon from "../../services/host/Soon.ts"
import type { Identity } from "../../services/identity/Identity.ts"
import { ownDocument } from "../../services/identity/HostedDidDocument.ts"
import { RecordNotFound, Records } from "../../services/repo/Records.ts"
import { Repo } from "../../services/repo/Repo.ts"
import { Takedowns } from "../../services/accounts/Takedowns.ts"
import { type Call, JsonText, method, queryAtOnce } from "../Xrpc.ts"
import { readable, readableAccount } from "../../services/accounts/AccountStatus.ts"
import { AccountStore } from "../../services/accounts/AccountStore.ts"

/** The services of the queries that never wait. */
type Reading = Context.Context<AccountStore | Records | Takedowns>

const getRecord = queryAtOnce(
  "com.atproto.repo.getRecord",
  { at: "account", authority: { kind: "optional" } },
  ({ params, caller }: Call<GetRecord.QueryParams>, services: Reading) =>
    Result.flatMap(readable(Context.get(services, AccountStore), caller), ({ did }) => {
      const path = `${params.collection}/${params.rkey}`
      const uri = `at://${did}/${path}`
      const records = Context.get(services, Records)
      const record = caller.kind === "admin" ? records.get(path) : records.getShown(path)
      if (
        record === undefined ||
        (params.cid !== undefined && params.cid !== record.cid.toString())
      ) {
        return Result.fail(new RecordNotFound({ uri }))
      }
      const text = `{"uri":${JSON.stringify(uri)},"cid":"${record.cid.toString()}","value":${blockToJsonText(record.value)}}`
      return Result.succeed(new JsonText(text))
    })
)

/** com.atproto.repo.listRecords: newest first; the cursor is the last rkey, exclusive. */
const listRecords = queryAtOnce(
  "com.atproto.repo.listRecords",
  { at: "account", authority: { kind: "optional" } },
  ({ params, caller }: Call<ListRecords.QueryParams & { limit: number }>, services: Reading) =>
    Result.map(readable(Context.get(services, AccountStore), caller), ({ did }) => {
      const { collection, limit, cursor, reverse } = params
      const { more, records } = Context.get(services, Records).page({
        collection,
        limit,
        ascending: reverse === true,
        ...(cursor === undefined ? {} : { after: cursor })
      })
      // Hidden records may shorten a page, but never change its cursor.
      const hidden = Context.get(services, Takedowns).inCollection(collection)
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
      return new JsonText(`{${next}"records":[${texts.join(",")}]}`)
    })
)

const describeRepo = queryAtOnce(
  "com.atproto.repo.describeRepo",
  { at: "account", authority: { kind: "optional" } },
  (
    { caller }: Call<DescribeRepo.QueryParams>,
    services: Context.Context<AccountStore | Config | Identity | Repo>
  ) => {
    const account = readable(Context.get(services, AccountStore), caller)
    if (Result.isFailure(account)) return Result.fail(account.failure)
    const found = Context.get(services, Repo).collections()
    if (Result.isFailure(found)) return Result.fail(found.failure)
    // An import may have brought invalid names, which nobody can request and clients would reject.
    const collections = found.success.filter(isNsid)
    const { did, handle } = account.success
    return Soon.map(ownDocument(account.success, services), (didDoc) => ({
      handle,
      did,
      didDoc,
      collections,
      handleIsCorrect: handleOf(didDoc) === handle
    }))
  }
)

/** A record's URI; the repo's if an imported record's path is not valid in a URI. */
const recordUri = (did: string, path: string): string => {
  const uri = `at://${did}/${path}`
  return isAtUri(uri) ? uri : `at://${did}`
}

const listMissingBlobs = method(
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

export const repoReadMethods = [getRecord, listRecords, describeRepo, listMissingBlobs]
