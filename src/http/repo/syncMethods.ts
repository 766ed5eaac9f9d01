import type {
  ComAtprotoSyncGetBlocks as GetBlocks,
  ComAtprotoSyncGetLatestCommit as GetLatestCommit,
  ComAtprotoSyncGetRecord as GetRecord,
  ComAtprotoSyncGetRepo as GetRepo,
  ComAtprotoSyncListBlobs as ListBlobs
} from "@atproto/api"
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Result from "effect/Result"
import { type Block, carBytes } from "../../core/repo/car.ts"
import { recordProof } from "../../core/repo/mst/proof.ts"
import {
  AccountStore,
  inactiveStatus,
  type RepoNotFound
} from "../../services/accounts/AccountStore.ts"
import { BlobIndex } from "../../services/blobs/BlobIndex.ts"
import { BlockStore } from "../../services/repo/BlockStore.ts"
import { findBlocks } from "../../services/repo/findBlocks.ts"
import { Records } from "../../services/repo/Records.ts"
import { Repo, type Snapshot } from "../../services/repo/Repo.ts"
import { type ExportBody, exportStream } from "../../services/repo/exportStream.ts"
import { exportBlocks, measureExport } from "../../services/repo/RepoExport.ts"
import { readCid } from "../input.ts"
import { clientAddress } from "../limits/clientLimits.ts"
import { type Call, method, queryAtOnce } from "../Xrpc.ts"
import { readable, readableAccount } from "../../services/accounts/AccountStatus.ts"
import type { Caller } from "../../services/sessions/Authority.ts"
import { rules } from "../../services/limits/rules.ts"

const carHeaders = { "content-type": "application/vnd.ipld.car" }

const car = (body: Uint8Array): Response => new Response(body, { headers: carHeaders })

/** Streams a CAR that `prepare` has measured, if the limit of concurrent exports allows. */
const streamedCar = Effect.fnUntraced(function* <E, R>(
  { caller, request }: Pick<Call, "caller" | "request">,
  did: string,
  prepare: Effect.Effect<ExportBody, E, R>
) {
  const address = clientAddress(request)
  const network = address === "unknown" ? undefined : address
  const who = { did, network, isOwner: caller.kind !== "anonymous" }
  const { readable, length } = yield* exportStream(who, prepare)
  return new Response(readable, {
    headers: { ...carHeaders, "content-length": String(length) }
  })
})

/** Runs a long computation and lets other requests run whenever it yields. */
const inStrides = <A>(steps: Generator<void, A>): Effect.Effect<A> =>
  Effect.gen(function* () {
    while (true) {
      const { done, value } = steps.next()
      if (done === true) return value
      yield* Effect.yieldNow
    }
  })

/** Opens a snapshot for one synchronous read. */
const reading = <A>(read: (snapshot: Snapshot) => A) =>
  Effect.flatMap(Repo, (repo) =>
    Effect.flatMap(repo.snapshot, (snapshot) =>
      Effect.ensuring(
        Effect.sync(() => read(snapshot)),
        Effect.sync(() => snapshot.close())
      )
    )
  )

const wholeRepo = Effect.fnUntraced(function* (since: string | undefined) {
  const stores = { records: yield* Records, blocks: yield* BlockStore }
  const snapshot = yield* (yield* Repo).snapshot
  const { close } = snapshot
  const plan = yield* Effect.onError(inStrides(measureExport(snapshot, stores, since)), () =>
    Effect.sync(close)
  )
  const { length } = plan
  const body: ExportBody = { length, chunks: exportBlocks(snapshot, stores.records, plan), close }
  return body
})

/**
 * com.atproto.sync.getRepo: streams the repo in pre-order from a snapshot; `since` omits older
 * records.
 */
export const getRepo = method(
  "com.atproto.sync.getRepo",
  { at: "account", authority: { kind: "optional" }, limits: [rules.getRepo] },
  Effect.fnUntraced(function* (call: Call<GetRepo.QueryParams>) {
    const { did } = yield* readableAccount(call.caller)
    return yield* streamedCar(call, did, wholeRepo(call.params.since))
  })
)

/**
 * com.atproto.sync.getRecord: the commit and the path of nodes that prove the record or its
 * absence.
 */
const getRecord = method(
  "com.atproto.sync.getRecord",
  { at: "account", authority: { kind: "optional" } },
  Effect.fnUntraced(function* ({ params, caller }: Call<GetRecord.QueryParams>) {
    yield* readableAccount(caller)
    const records = yield* Records
    const path = `${params.collection}/${params.rkey}`
    return yield* reading(({ head, tree }) => {
      const record = records.get(path)
      const blocks: Array<Block> = [
        { cid: head.commit, bytes: head.block },
        ...recordProof(tree, path)
      ]
      if (record !== undefined) blocks.push({ cid: record.cid, bytes: record.value })
      return car(carBytes(head.commit, blocks))
    })
  })
)

/** com.atproto.sync.getBlocks: the requested blocks as a CAR without a root. */
const getBlocks = method(
  "com.atproto.sync.getBlocks",
  { at: "account", authority: { kind: "optional" } },
  Effect.fnUntraced(function* (call: Call<GetBlocks.QueryParams>) {
    const { did } = yield* readableAccount(call.caller)
    const cids = yield* Effect.forEach(call.params.cids, (text) => Effect.fromResult(readCid(text)))
    return yield* streamedCar(call, did, findBlocks(cids))
  })
)

type Heading = Context.Context<AccountStore | Repo>

/** The newest commit of a repo that this caller may read. */
const readableHead = (caller: Caller, services: Heading) =>
  Result.flatMap(readable(Context.get(services, AccountStore), caller), () =>
    Context.get(services, Repo).headNow()
  )

const getLatestCommit = queryAtOnce(
  "com.atproto.sync.getLatestCommit",
  { at: "account", authority: { kind: "optional" } },
  ({ caller }: Call<GetLatestCommit.QueryParams>, services: Heading) =>
    Result.map(readableHead(caller, services), ({ commit, rev }) => ({
      cid: commit.toString(),
      rev
    }))
)

/** com.atproto.sync.getHead (deprecated): the newest commit's CID. */
const getHead = queryAtOnce(
  "com.atproto.sync.getHead",
  { at: "account", authority: { kind: "optional" } },
  ({ caller }: Call, services: Heading) =>
    Result.map(readableHead(caller, services), ({ commit }) => ({ root: commit.toString() }))
)

/** com.atproto.sync.getCheckout (deprecated): the response of getRepo without `since`. */
const getCheckout = method(
  "com.atproto.sync.getCheckout",
  { at: "account", authority: { kind: "optional" } },
  (call: Call<{ did: string }, undefined>) => getRepo.handler(call)
)

/** com.atproto.sync.getRepoStatus: also answers for inactive accounts. */
const getRepoStatus = queryAtOnce(
  "com.atproto.sync.getRepoStatus",
  { at: "account", authority: { kind: "none" } },
  (_: Call, services: Heading) =>
    Result.flatMap(
      Context.get(services, AccountStore).find(),
      (account): Result.Result<object, RepoNotFound> => {
        const { did } = account
        const status = inactiveStatus(account)
        if (status !== undefined) return Result.succeed({ did, active: false, status })
        const head = Context.get(services, Repo).headNow()
        return Result.map(head, ({ rev }) => ({ did, active: true, rev }))
      }
    )
)

/**
 * com.atproto.sync.listBlobs: blobs that records refer to; with `since`, only from later commits.
 */
const listBlobs = method(
  "com.atproto.sync.listBlobs",
  { at: "account", authority: { kind: "optional" } },
  Effect.fnUntraced(function* ({
    params,
    caller
  }: Call<ListBlobs.QueryParams & { limit: number }>) {
    yield* readableAccount(caller)
    const page = (yield* BlobIndex).list(params)
    return { ...(page.cursor === undefined ? {} : { cursor: page.cursor }), cids: page.items }
  })
)

/** The public methods that sync a repo. */
export const syncMethods = [
  getRepo,
  getRecord,
  getBlocks,
  getLatestCommit,
  getHead,
  getCheckout,
  getRepoStatus,
  listBlobs
]
