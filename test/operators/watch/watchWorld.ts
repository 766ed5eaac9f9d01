import * as Clock from "effect/Clock"
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import type * as Scope from "effect/Scope"
import * as TestClock from "effect/testing/TestClock"
import type { HostClaim, RelaysReport } from "../../../src/core/stream/relayReport.ts"
import * as DirectoryD1 from "../../../src/layers/accounts/DirectoryD1.ts"
import * as ConfigEnv from "../../../src/layers/host/ConfigEnv.ts"
import { HostDatabase } from "../../../src/layers/host/sql/HostDatabase.ts"
import * as HostDatabaseNode from "../../../src/layers/host/sql/HostDatabaseNode.ts"
import * as PlcMemory from "../../support/network/PlcMemory.ts"
import * as AlertsD1 from "../../../src/layers/operators/AlertsD1.ts"
import * as HostCountsD1 from "../../../src/layers/operators/HostCountsD1.ts"
import * as WatchNotesD1 from "../../../src/layers/operators/WatchNotesD1.ts"
import { DirectoryUnavailable } from "../../../src/services/accounts/Directory.ts"
import type { BackupHealth } from "../../../src/services/backups/backupHealth.ts"
import { Outgoing, OutgoingFailed } from "../../../src/services/host/Outgoing.ts"
import { type Outcome, Readiness } from "../../../src/services/host/Readiness.ts"
import { CodeOwners } from "../../../src/services/mail/CodeOwners.ts"
import { Mailer, MailNotSent } from "../../../src/services/mail/Mailer.ts"
import { Alerts } from "../../../src/services/operators/Alerts.ts"
import { watch } from "../../../src/services/operators/watch/watch.ts"
import { WatchNotes } from "../../../src/services/operators/WatchNotes.ts"
import { Backlog, type BacklogTotal } from "../../../src/services/stream/Backlog.ts"
import { RelayStatus } from "../../../src/services/stream/RelayStatus.ts"
import { type Reader, type RelayCall, Sequencer } from "../../../src/services/stream/Sequencer.ts"
import { env } from "../../host/world.ts"

/** What a test changes about the watched server, and what was reported. */
export class Watched {
  d1: Outcome = "ok"
  r2: Outcome = "ok"
  backups: BackupHealth | undefined
  readonly relays: Array<RelayCall> = []
  readonly readers: Array<Reader> = []
  claim: HostClaim = { kind: "silent", why: "a test" }
  /** The newest event. */
  seq = 0
  /** How many events the relays haven't read, for two hours. */
  unread = 0
  /** How many events came after the readers' places at the look before. */
  sinceReader = 0
  readonly asked: Array<string> = []
  report: RelaysReport | undefined
  backlog: BacklogTotal | undefined
  isMailDown = false
  isWebhookDown = false
  readonly mails: Array<string> = []
  readonly posts: Array<string> = []
  readonly hostNotes = new Map<string, string>()

  /** The titles of the mails since the last call. */
  mailed(): ReadonlyArray<string> {
    return this.mails.splice(0)
  }
}

const unavailable = new DirectoryUnavailable({ operation: "test", cause: "down" })

/** A service that fails like the database. */
const failing = <S extends object>(watched: Watched, service: S): S =>
  new Proxy(service, {
    get: (of, name) => {
      // SAFETY: every member is an effect, or a function to one.
      const member = of[name as keyof S] as unknown
      const orDown = (effect: Effect.Effect<unknown, unknown>) =>
        Effect.suspend(() => (watched.d1 === "ok" ? effect : Effect.fail(unavailable)))
      return Effect.isEffect(member)
        ? orDown(member as Effect.Effect<unknown, unknown>)
        : (...args: ReadonlyArray<unknown>) =>
            orDown((member as (...given: typeof args) => Effect.Effect<unknown>)(...args))
    }
  })

/** The watch's services over stand-ins; each call is a restarted server over the same database. */
export const servicesOf = (
  watched: Watched,
  database: Context.Context<HostDatabase>,
  more: Readonly<Record<string, string>> = {}
) =>
  Effect.gen(function* () {
    const stored = yield* Layer.build(
      Layer.fresh(
        Layer.mergeAll(
          AlertsD1.layer.pipe(Layer.provideMerge(WatchNotesD1.layer)),
          DirectoryD1.layer,
          HostCountsD1.layer,
          PlcMemory.layer
        )
      )
    ).pipe(Effect.provide(database))
    const config = yield* Layer.build(
      ConfigEnv.layer({
        ...env,
        ALERT_EMAIL: "ops@example.com",
        ALERT_WEBHOOK: "https://hooks.example.com/secret",
        ...more
      })
    )
    return Context.merge(config, stored).pipe(
      Context.add(Alerts, failing(watched, Context.get(stored, Alerts))),
      Context.add(WatchNotes, failing(watched, Context.get(stored, WatchNotes))),
      Context.add(
        Readiness,
        Readiness.of({
          d1: Effect.sync(() => watched.d1),
          r2: Effect.sync(() => watched.r2),
          sequencer: Effect.succeed("ok"),
          backups: Effect.sync(() => watched.backups),
          alerts: Effect.undefined
        })
      ),
      Context.add(Backlog, {
        note: () => Effect.void,
        total: () => Effect.sync(() => watched.backlog)
      }),
      Context.add(
        CodeOwners,
        // SAFETY: the watch calls nothing else of it.
        { waiting: () => Effect.succeed([]) } as unknown as CodeOwners["Service"]
      ),
      Context.add(
        RelayStatus,
        RelayStatus.of({
          host: () => Effect.sync(() => watched.claim),
          repo: () => Effect.undefined
        })
      ),
      Context.add(
        Mailer,
        Mailer.of({
          delivers: true,
          send: ({ to, subject, purpose }) =>
            Effect.suspend(() => {
              if (watched.isMailDown) return new MailNotSent({ purpose, cause: "down" })
              watched.mails.push(`${to}: ${subject}`)
              return Effect.void
            })
        })
      ),
      Context.add(
        Outgoing,
        // SAFETY: the watch calls nothing else of it.
        {
          request: (url, { body }) =>
            Effect.suspend(() => {
              if (watched.isWebhookDown) {
                return new OutgoingFailed({ url, operation: "status", status: 500 })
              }
              watched.posts.push(`${url} ${String(body)}`)
              return Effect.succeed({
                url,
                status: 200,
                headers: new Headers(),
                body: new Uint8Array()
              })
            })
        } as Outgoing["Service"]
      ),
      Context.add(
        Sequencer,
        // SAFETY: the watch calls nothing else of it.
        {
          subscribers: (seqs: ReadonlyArray<number>) =>
            Effect.map(Clock.currentTimeMillis, (now) => ({
              seq: watched.seq,
              readers: watched.readers,
              relays: watched.relays,
              places: seqs.map((seq) =>
                seq === 5 && watched.unread > 0
                  ? { behind: watched.unread, waiting: now - 7_200_000 }
                  : { behind: seq === 7 ? watched.sinceReader : 0 }
              )
            })),
          askRelay: (relay: string) =>
            Effect.sync(() => {
              watched.asked.push(relay)
              return { ok: true }
            }),
          note: (name: string) => Effect.sync(() => watched.hostNotes.get(name)),
          setNote: (name: string, text: string | undefined) =>
            Effect.sync(() => {
              if (text === undefined) watched.hostNotes.delete(name)
              else watched.hostNotes.set(name, text)
            })
        } as unknown as Sequencer["Service"]
      )
    )
  })

/** One look of a server that has just started. */
export const look = (watched: Watched, database: Context.Context<HostDatabase>) =>
  Effect.flatMap(servicesOf(watched, database), (services) => Effect.provide(watch, services))

/** Looks as often as given, five minutes apart; every look is one of a server that has just started. */
export const watching = (
  body: (
    watched: Watched,
    looks: (times?: number) => Effect.Effect<void, unknown>
  ) => Effect.Effect<void, unknown>,
  oneLook: (
    watched: Watched,
    database: Context.Context<HostDatabase>
  ) => Effect.Effect<unknown, unknown, Scope.Scope> = look
) =>
  Effect.gen(function* () {
    const database = yield* Layer.build(HostDatabaseNode.layer(":memory:"))
    const watched = new Watched()
    yield* TestClock.adjust("10 days")
    const looks = (times = 1) =>
      Effect.gen(function* () {
        for (let at = 0; at < times; at++) {
          yield* Effect.scoped(oneLook(watched, database))
          yield* TestClock.adjust("5 minutes")
        }
      })
    yield* body(watched, looks)
  })
