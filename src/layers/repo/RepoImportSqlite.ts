import * as Clock from "effect/Clock"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import { verifyBytes } from "../../core/identity/didKey.ts"
import { CarParser, InvalidCar } from "../../core/repo/carParser.ts"
import type { ReadRecord } from "../../core/repo/cborLoose.ts"
import { type ForeignCommit, InvalidCommit } from "../../core/repo/commit.ts"
import type { Leaves } from "../../core/repo/import/Leaves.ts"
import { OddRecords } from "../../core/repo/import/oddRecords.ts"
import { plant } from "../../core/repo/import/plant.ts"
import { RepoTooLarge } from "../../core/repo/import/RepoTooLarge.ts"
import { InvalidRecord, readRecord } from "../../core/repo/import/record.ts"
import { TreeReading } from "../../core/repo/import/TreeReading.ts"
import { InvalidMstKey } from "../../core/repo/mst/key.ts"
import { MissingBlock } from "../../core/repo/mst/loader.ts"
import { InvalidNode } from "../../core/repo/mst/node.ts"
import { type Account, AccountStore, inactiveStatus } from "../../services/accounts/AccountStore.ts"
import { Alarm } from "../../services/host/Alarm.ts"
import { BlobStore } from "../../services/blobs/BlobStore.ts"
import { Config } from "../../services/host/Config.ts"
import { Identity } from "../../services/identity/Identity.ts"
import { Outbox } from "../../services/stream/Outbox.ts"
import { Records } from "../../services/repo/Records.ts"
import { type Head, Repo } from "../../services/repo/Repo.ts"
import { ImportBusy, ImportRefused, RepoImport } from "../../services/repo/RepoImport.ts"
import { SqlStorage } from "../../services/host/SqlStorage.ts"
import { recountBlobs } from "./importedBlobs.ts"
import { isolateTurns, type Turn } from "./importTurns.ts"
import * as Tables from "./importTables.ts"
import { readStaged } from "./stagedCar.ts"
import { syncEvent } from "../stream/syncEvent.ts"

/** When the alarm looks whether an import was cut off, in milliseconds. */
const sweepAfter = 600_000

/** How long whoever finds another import under way is asked to wait, in seconds. */
const busySeconds = 30

/** Clusters stored between two pauses for others. */
const stride = 8

/** What the pure readers throw when the CAR, and not this server, is at fault. */
const refusals = [
  InvalidCar,
  InvalidCommit,
  InvalidNode,
  InvalidMstKey,
  InvalidRecord,
  MissingBlock,
  RepoTooLarge
]

const refuse = (reason: string) => new ImportRefused({ reason })

/** An import under way. */
interface Run {
  /** It has built its tables, and waits for their turn to be the repo's. */
  isPlacing: boolean
  readonly odd: OddRecords
  readonly hold: Turn
}

/** Imports over the object's SQLite and the blob store: the repo is built in tables of its own, which are then put in place. */
export const layer = Layer.effect(
  RepoImport,
  Effect.gen(function* () {
    const sql = yield* SqlStorage
    const accounts = yield* AccountStore
    const repo = yield* Repo
    const records = yield* Records
    const outbox = yield* Outbox
    const identity = yield* Identity
    const store = yield* BlobStore
    const alarm = yield* Alarm
    const clock = yield* Clock.Clock
    const { importLimit } = yield* Config
    /** The import that may write; one that is no longer it ends at its next turn. */
    let running: Run | undefined

    /** One turn of an import, in one transaction. */
    const turn = <A>(own: Run, body: () => A): Effect.Effect<A, ImportRefused> =>
      Effect.suspend(() => {
        if (running !== own) return Effect.fail(refuse("another import has begun meanwhile"))
        own.hold.touched = clock.currentTimeMillisUnsafe()
        try {
          return Effect.succeed(sql.transaction(body))
        } catch (error) {
          return refusals.some((kind) => error instanceof kind)
            ? Effect.fail(refuse((error as Error).message))
            : Effect.die(error)
        }
      })

    /** The signature is the key's that the DID document names, or that this account has here. */
    const assertSigned = Effect.fnUntraced(function* (account: Account, commit: ForeignCommit) {
      const { unsigned, sig } = commit
      if (verifyBytes(account.signingKey.didKey, unsigned, sig)) return
      const key = yield* identity.signingKey(account.did, { fresh: true }).pipe(
        Effect.catchTags({
          DidNotFound: () => Effect.fail(refuse("the account's DID document was not found")),
          DidDeactivated: () => Effect.fail(refuse("the account's DID is deactivated")),
          KeyNotFound: () => Effect.fail(refuse("the account's DID document names no signing key"))
        })
      )
      if (verifyBytes(key, unsigned, sig)) return
      return yield* refuse("the commit is not signed with the key that the DID document names")
    })

    /** The first reading: commit and tree. The tree is stored, and what it needs in memory is let go. */
    const readTree = Effect.fnUntraced(function* (own: Run, key: string, account: Account) {
      yield* turn(own, () => Tables.clear(sql))
      const reading = new TreeReading(Tables.slabStore(sql))
      yield* readStaged(store, key, (piece) => turn(own, () => reading.push(piece)))
      const commit = yield* turn(own, () => reading.end(account.did))
      yield* assertSigned(account, commit)
      const rev = yield* repo.revAbove(commit.rev ?? "")
      yield* turn(own, () => Tables.create(sql))
      const clusters = plant(reading.nodes, commit.data, own.odd)
      while (true) {
        const planted = yield* turn(own, () => {
          for (let stored = 0; stored < stride; stored++) {
            const next = clusters.next()
            if (next.done === true) {
              Tables.dropNodes(sql)
              return next.value
            }
            Tables.putCluster(sql, next.value, rev)
          }
          return undefined
        })
        if (planted !== undefined) return { ...planted, root: commit.data, rev }
        yield* Effect.yieldNow
      }
    })

    /** The second reading: the records that the tree names, each to its paths. */
    const readRecords = Effect.fnUntraced(function* (
      own: Run,
      key: string,
      leaves: Leaves,
      rev: string
    ) {
      const parser = new CarParser({ isLenient: true })
      let bytes = 0
      const takeBlocks = (piece: Uint8Array): void => {
        parser.push(piece)
        for (let block = parser.next(); block !== undefined; block = parser.next()) {
          let record: ReadRecord | undefined
          for (const path of leaves.take(block.cid)) {
            record ??= readRecord(block, path)
            if (record.oddity !== undefined) own.odd.add(path, record.oddity)
            // One block may stand at many paths, and is stored at each.
            bytes += block.bytes.byteLength
            if (bytes > importLimit) {
              throw new RepoTooLarge(`its records take more than ${importLimit} bytes`)
            }
            Tables.putRecord(sql, path, block, record.fields, rev)
          }
        }
      }
      yield* readStaged(store, key, (piece) => turn(own, () => takeBlocks(piece)))
      const missing = leaves.missing()
      if (missing !== undefined) return yield* refuse(`the record ${missing} is missing`)
    })

    /** Puts the tables in place, inside the commit's transaction; an active account tells the network. */
    const place = (head: Head, now: number): number | undefined => {
      Tables.swap(sql, head.rev)
      recountBlobs(sql, head.rev, now)
      const account = accounts.peek()
      if (account === undefined || inactiveStatus(account) !== undefined) return undefined
      const time = new Date(now).toISOString()
      const collections = records.collections()
      return outbox.push(syncEvent({ did: account.did, head, collections, time }))
    }

    const build = Effect.fnUntraced(function* (own: Run, key: string) {
      const account = yield* accounts.get
      const before = yield* repo.head
      yield* alarm.by((yield* Clock.currentTimeMillis) + sweepAfter)
      const { leaves, nodes, root, rev } = yield* readTree(own, key, account)
      yield* readRecords(own, key, leaves, rev)
      const now = yield* Clock.currentTimeMillis
      // From here on the tables are waited for: nobody else may begin to fill them.
      yield* turn(own, () => void (own.isPlacing = true))
      yield* repo
        .replace({
          expected: before.commit,
          root,
          rev,
          records: leaves.count,
          nodes,
          place: (head) => place(head, now)
        })
        .pipe(
          Effect.catchTag("InvalidSwap", () =>
            Effect.fail(refuse("the repo was written to while it was imported"))
          )
        )
    })

    const busy = () => new ImportBusy({ retryAfterSeconds: busySeconds })

    const admit = Effect.gen(function* () {
      const { did } = yield* accounts.get
      if (!isolateTurns.isFree(did, clock.currentTimeMillisUnsafe())) return yield* busy()
    })

    const run = Effect.fn("RepoImport.run")(function* (key: string) {
      const { did } = yield* accounts.get
      if (running?.isPlacing === true) {
        return yield* refuse("another import is just being put in place")
      }
      const hold = isolateTurns.begin(did, clock.currentTimeMillisUnsafe())
      if (hold === undefined) return yield* busy()
      const own: Run = { isPlacing: false, odd: new OddRecords(), hold }
      running = own
      const end = Effect.sync(() => {
        isolateTurns.end(hold)
        if (running !== own) return
        running = undefined
        Tables.clear(sql)
      })
      yield* Effect.ensuring(build(own, key), end)
      return { odd: own.odd.count, named: own.odd.named }
    })

    const sweep = Effect.gen(function* () {
      if (running === undefined) return Tables.clear(sql)
      yield* alarm.by((yield* Clock.currentTimeMillis) + sweepAfter)
    })

    return RepoImport.of({ admit, run, sweep })
  })
)
