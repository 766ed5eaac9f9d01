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
import {
  ImportBusy,
  ImportRefused,
  RepoImport,
  type TrustedRepo
} from "../../services/repo/RepoImport.ts"
import { SqlStorage } from "../../services/host/SqlStorage.ts"
import { recountBlobs } from "./importedBlobs.ts"
import { isolateTurns, type Turn } from "./importTurns.ts"
import * as Tables from "./importTables.ts"
import { readStaged } from "./stagedCar.ts"
import { syncEvent } from "../stream/syncEvent.ts"

/** Delay until the alarm checks for an interrupted import, in milliseconds. */
const sweepAfter = 600_000

/** `Retry-After` while another import runs, in seconds. */
const busySeconds = 30

/** Clusters stored between two pauses for other requests. */
const stride = 8

/** The errors of the pure readers that blame the CAR rather than this server. */
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

/** A running import. */
interface Run {
  /** True once its tables are complete and wait to replace the repo's. */
  isPlacing: boolean
  readonly odd: OddRecords
  readonly hold: Turn
  readonly trusted: TrustedRepo | undefined
}

/**
 * Imports with the object's SQLite and the blob store: builds the repo in separate tables, then
 * swaps them in.
 */
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
    /** The import that may write; any other one ends at its next turn. */
    let running: Run | undefined

    /** Runs one turn of an import in one transaction. */
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

    /** Fails unless the signature is by the DID document's key, or by this account's key here. */
    const assertSigned = Effect.fnUntraced(function* (
      account: Account,
      commit: ForeignCommit,
      trusted: TrustedRepo | undefined
    ) {
      const { unsigned, sig } = commit
      if (trusted !== undefined) {
        if (verifyBytes(trusted.signingKey, unsigned, sig)) return
        return yield* refuse("the commit is not signed with the backup's key")
      }
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

    /** First pass: the commit and the tree. Stores the tree and frees its memory. */
    const readTree = Effect.fnUntraced(function* (own: Run, key: string, account: Account) {
      yield* turn(own, () => Tables.clear(sql))
      const reading = new TreeReading(Tables.slabStore(sql))
      yield* readStaged(store, key, (piece) => turn(own, () => reading.push(piece)))
      const commit = yield* turn(own, () => reading.end(account.did))
      yield* assertSigned(account, commit, own.trusted)
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

    /** Second pass: stores the records at each of their tree paths. */
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
            // A block that appears at several paths is stored at each of them.
            bytes += block.bytes.byteLength
            if (bytes > importLimit && own.trusted === undefined) {
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

    /** Swaps the tables in, inside the commit's transaction; an active account emits an event. */
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
      // From here on the tables are complete and wait: no other import may start to fill them.
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

    const run = Effect.fn("RepoImport.run")(function* (key: string, trusted?: TrustedRepo) {
      const { did } = yield* accounts.get
      if (running?.isPlacing === true) {
        return yield* refuse("another import is just being put in place")
      }
      const hold = isolateTurns.begin(did, clock.currentTimeMillisUnsafe())
      if (hold === undefined) return yield* busy()
      const own: Run = { isPlacing: false, odd: new OddRecords(), hold, trusted }
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
