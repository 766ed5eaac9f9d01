import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as TestClock from "effect/testing/TestClock"
import * as AccountHistorySqlite from "../../src/layers/accounts/AccountHistorySqlite.ts"
import * as AccountStoreSqlite from "../../src/layers/accounts/AccountStoreSqlite.ts"
import * as AlarmMemory from "../../src/layers/host/AlarmMemory.ts"
import * as BackgroundMemory from "../../src/layers/host/BackgroundMemory.ts"
import * as BlobIndexSqlite from "../../src/layers/blobs/BlobIndexSqlite.ts"
import * as ConfigEnv from "../../src/layers/host/ConfigEnv.ts"
import * as KeysMaster from "../../src/layers/identity/KeysMaster.ts"
import * as OutboxSqlite from "../../src/layers/stream/OutboxSqlite.ts"
import * as RecordsSqlite from "../../src/layers/repo/RecordsSqlite.ts"
import * as RepoHeadSqlite from "../../src/layers/repo/RepoHeadSqlite.ts"
import * as RepoWriter from "../../src/services/repo/write/RepoWriter.ts"
import * as SignerAccount from "../../src/layers/identity/SignerAccount.ts"
import { accountTables } from "../../src/layers/host/sql/accountTables.ts"
import { Alarm } from "../../src/services/host/Alarm.ts"
import { AccountStore } from "../../src/services/accounts/AccountStore.ts"
import type { BlobIndex } from "../../src/services/blobs/BlobIndex.ts"
import type { BlockStore } from "../../src/services/repo/BlockStore.ts"
import { Config } from "../../src/services/host/Config.ts"
import { PublicCacheGate } from "../../src/services/edge/PublicCacheGate.ts"
import { Keys } from "../../src/services/identity/Keys.ts"
import { Outbox } from "../../src/services/stream/Outbox.ts"
import { Records } from "../../src/services/repo/Records.ts"
import { Repo } from "../../src/services/repo/Repo.ts"
import {
  type OutboxEvent,
  Sequencer,
  SequencerUnavailable
} from "../../src/services/stream/Sequencer.ts"
import { SqlStorage } from "../../src/services/host/SqlStorage.ts"

/** The settings that every test starts from. */
export const testEnv = {
  PUBLIC_URL: "http://localhost:8787",
  MASTER_KEY: Buffer.alloc(32, 7).toString("base64url"),
  PLC_ROTATION_KEY: "01".repeat(32),
  ADMIN_PASSWORD: "administrator-password",
  RATE_LIMITS: "off"
}

/** How the outbox calls the log: in a fiber, or without one, as in a Durable Object. */
export type LogCalls = "in a fiber" | "without a fiber"

/** What a repo's test sees from outside. */
export interface RepoWorld {
  readonly signingKey: string
  /** The commit events that the log received. */
  events(): ReadonlyArray<OutboxEvent>
  /** How many events each call of the log brought. */
  readonly calls: ReadonlyArray<number>
  /** Makes the log fail, hang or work again. */
  breakLog(how: "fails" | "hangs" | "works"): void
  /** Makes the log take so many milliseconds for each call. */
  slowDown(millis: number): void
  /** When the object's alarm fires and delivers the outbox. */
  armed(): number | undefined
  readonly setClock: (time: number) => Effect.Effect<void>
  readonly sql: SqlStorage["Service"]
}

/** The services that a repo's test may use. */
export type RepoServices =
  | Repo
  | Records
  | AccountStore
  | Alarm
  | BlobIndex
  | BlockStore
  | Config
  | Keys
  | Outbox
  | SqlStorage

/**
 * One account's services over a database, created on first use, with a log that records its input.
 */
export const repoServices = Effect.fnUntraced(function* (
  did: string,
  blocks: Layer.Layer<BlockStore, never, SqlStorage>,
  sql: Layer.Layer<SqlStorage>,
  logCalls: LogCalls = "in a fiber"
) {
  const taken: Array<OutboxEvent> = []
  const calls: Array<number> = []
  let slowness = 0
  let state = "works" as Parameters<RepoWorld["breakLog"]>[0]
  const append: Sequencer["Service"]["append"] = (_, events) =>
    Effect.suspend(() => {
      if (state === "hangs") return Effect.never
      if (state === "fails") {
        return Effect.fail(new SequencerUnavailable({ operation: "append", cause: "broken" }))
      }
      taken.push(...events)
      calls.push(events.length)
      const answer = Effect.succeed(events.at(-1)!.id)
      return slowness === 0 ? answer : Effect.delay(answer, slowness)
    })
  const clock = yield* Effect.context()
  const log = Layer.mock(Sequencer, {
    append,
    appendNow:
      logCalls === "without a fiber"
        ? (_, events) => Effect.runPromiseWith(clock)(append(_, events))
        : undefined
  })
  const config = ConfigEnv.layer(testEnv)
  const keys = Layer.unwrap(Effect.map(Config, KeysMaster.layer))
  let onAlarm: Effect.Effect<void> = Effect.void
  const alarm = yield* AlarmMemory.make(Effect.suspend(() => onAlarm))
  const base = Layer.mergeAll(
    sql,
    log,
    BackgroundMemory.layer,
    Layer.succeed(
      PublicCacheGate,
      PublicCacheGate.of({ share: () => false, whileShut: (change) => change })
    ),
    Layer.succeed(Alarm, alarm.service),
    keys.pipe(Layer.provideMerge(config))
  )
  const accounts = AccountStoreSqlite.layer({ did, tables: accountTables, wipe: Effect.void })
  const repo = RepoWriter.layer.pipe(
    Layer.provideMerge(OutboxSqlite.layer),
    Layer.provideMerge(
      Layer.mergeAll(
        blocks,
        RecordsSqlite.layer,
        RepoHeadSqlite.layer,
        BlobIndexSqlite.layer,
        SignerAccount.layer
      )
    ),
    Layer.provideMerge(accounts),
    Layer.provideMerge(AccountHistorySqlite.layer),
    Layer.provideMerge(base)
  )
  const context = yield* Layer.build(repo)
  const signingKey = yield* Effect.gen(function* () {
    const known = (yield* AccountStore).peek()
    if (known !== undefined) return known.signingKey.didKey
    const service = yield* Keys
    const key = yield* service.generate("k256")
    const wrapped = yield* service.wrap(did, key)
    yield* (yield* AccountStore).create({
      did,
      handle: "alice.test",
      email: undefined,
      emailConfirmedAt: undefined,
      emailFactorAt: undefined,
      password: undefined,
      signingKey: { curve: "k256", wrapped, didKey: key.didKey },
      deactivatedAt: undefined,
      deleteAfter: undefined,
      takedown: undefined,
      createdAt: "2026-01-01T00:00:00.000Z"
    })
    yield* (yield* Repo).create
    return key.didKey
  }).pipe(Effect.provide(context))
  const outbox = Context.get(context, Outbox)
  onAlarm = outbox.deliver
  const world: RepoWorld = {
    signingKey,
    events: () => {
      Effect.runSync(outbox.deliver)
      return taken
    },
    calls,
    breakLog: (how) => {
      state = how
    },
    slowDown: (millis) => {
      slowness = millis
    },
    armed: alarm.armed,
    setClock: TestClock.setTime,
    sql: Context.get(context, SqlStorage)
  }
  return { world, context: context as Context.Context<RepoServices> }
})
