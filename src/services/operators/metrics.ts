import * as Clock from "effect/Clock"
import * as Effect from "effect/Effect"
import type { Family, Sample } from "../../core/operators/openMetrics.ts"
import { roles } from "../../core/operators/roles.ts"
import { version } from "../../core/host/version.ts"
import { Config } from "../host/Config.ts"
import { Readiness } from "../host/Readiness.ts"
import { Sequencer } from "../stream/Sequencer.ts"
import { Counters } from "./Counters.ts"
import { countedTables, HostCounts } from "./HostCounts.ts"
import { by, type Known, type Metric, one, seconds } from "./samples.ts"
import { backlogReport } from "./watch/backlog.ts"
import { relaysReport } from "./watch/relays.ts"
import { storageReport } from "./watch/storage.ts"
import { watchMetrics } from "./watchMetrics.ts"

const flag = (is: boolean | undefined) => (is === undefined ? [] : one(is ? 1 : 0))

const statuses = ["active", "deactivated", "takendown", "suspended", "reserved", "deleted"]
const outcomes = ["good", "incomplete", "failed"]

const connected = ({ stream }: Known) => stream?.readers.filter((reader) => reader.connected)

const greatest = (values: ReadonlyArray<number> | undefined): ReadonlyArray<Sample> =>
  values === undefined ? [] : one(Math.max(0, ...values))

/** Every metric; the dashboard and the alert rules in `ops` name these. */
export const metrics: ReadonlyArray<Metric> = [
  ...watchMetrics,
  {
    name: "nacre_build",
    type: "info",
    help: "The running version",
    read: () => [{ labels: { version }, value: 1 }]
  },
  {
    name: "nacre_up",
    type: "gauge",
    help: "Whether a dependency responds (1) or not (0)",
    read: ({ up }) =>
      Object.entries(up).map(([dependency, outcome]) => ({
        labels: { dependency },
        value: outcome === "ok" ? 1 : 0
      }))
  },
  {
    name: "nacre_accounts",
    type: "gauge",
    help: "Accounts by status, counted hourly",
    read: ({ counts }) => by("status", statuses, counts?.accounts)
  },
  {
    name: "nacre_accounts_new",
    type: "gauge",
    help: "Accounts created within a day before the count",
    read: ({ counts }) => one(counts?.newAccounts)
  },
  {
    name: "nacre_operators",
    type: "gauge",
    help: "Operators by role",
    read: ({ counts }) => by("role", roles, counts?.operators)
  },
  {
    name: "nacre_rows",
    type: "gauge",
    help: "Rows of the database by table, counted hourly",
    read: ({ counts }) => by("table", countedTables, counts?.rows)
  },
  {
    name: "nacre_counted_timestamp_seconds",
    type: "gauge",
    unit: "seconds",
    help: "When the database was counted last",
    read: ({ counts }) => seconds(counts?.at)
  },
  {
    name: "nacre_stream_seq",
    type: "gauge",
    help: "The newest sequence number; 0 before the first event",
    read: ({ status }) => one(status?.seq)
  },
  {
    name: "nacre_stream_events",
    type: "gauge",
    help: "Events added since the oldest kept one",
    read: ({ status }) => one(status?.events)
  },
  {
    name: "nacre_stream_oldest_timestamp_seconds",
    type: "gauge",
    unit: "seconds",
    help: "When the oldest kept event was added",
    read: ({ status }) => (status?.oldest === undefined ? [] : one(status.oldest / 1_000_000))
  },
  {
    name: "nacre_stream_newest_timestamp_seconds",
    type: "gauge",
    unit: "seconds",
    help: "When the newest event was added",
    read: ({ status }) =>
      status === undefined || status.seq === 0 ? [] : one(status.seq / 1_000_000)
  },
  {
    name: "nacre_stream_subscribers",
    type: "gauge",
    help: "Open connections of subscribeRepos",
    read: ({ status }) => one(status?.subscribers)
  },
  {
    name: "nacre_stream_behind_events",
    type: "gauge",
    help: "How far the slowest open connection is behind",
    read: (known) => greatest(connected(known)?.map(({ behind }) => behind))
  },
  {
    name: "nacre_stream_behind_seconds",
    type: "gauge",
    unit: "seconds",
    help: "How long the slowest open connection's next event has been waiting",
    read: (known) =>
      greatest(
        connected(known)?.map(({ waiting }) =>
          waiting === undefined ? 0 : (known.now - waiting) / 1000
        )
      )
  },
  {
    name: "nacre_stream_readers_month",
    type: "gauge",
    help: "Readers of the stream within a month, at most 20 that have gone",
    read: ({ stream }) => one(stream?.readers.length)
  },
  {
    name: "nacre_relay_asked_timestamp_seconds",
    type: "gauge",
    unit: "seconds",
    help: "When each relay was last asked to crawl",
    read: ({ stream }) =>
      (stream?.relays ?? []).flatMap(({ relay, at }) =>
        at === undefined ? [] : [{ labels: { relay }, value: at / 1000 }]
      )
  },
  {
    name: "nacre_relay_ok",
    type: "gauge",
    help: "Whether each relay accepted the last requestCrawl",
    read: ({ stream }) =>
      (stream?.relays ?? []).map(({ relay, ok }) => ({ labels: { relay }, value: ok ? 1 : 0 }))
  },
  {
    name: "nacre_backup_last_good_timestamp_seconds",
    type: "gauge",
    unit: "seconds",
    help: "When the newest good backup ended",
    read: ({ counts }) => seconds(counts?.backups?.lastGoodAt)
  },
  {
    name: "nacre_backup_last_outcome",
    type: "gauge",
    help: "How the newest backup ended",
    read: ({ counts }) => {
      const last = counts?.backups?.lastOutcome
      return last === undefined ? [] : by("outcome", outcomes, { [last]: 1 })
    }
  },
  {
    name: "nacre_backup_faulty",
    type: "gauge",
    help: "Accounts and objects at fault in the newest backup",
    read: ({ counts }) => one(counts?.backups?.faulty)
  },
  {
    name: "nacre_backup_late",
    type: "gauge",
    help: "Whether there was no good backup for 36 hours",
    read: ({ counts }) => flag(counts?.backups?.isLate)
  },
  {
    name: "nacre_backup_drill_timestamp_seconds",
    type: "gauge",
    unit: "seconds",
    help: "When the last drill of the backups was reported",
    read: ({ counts }) => seconds(counts?.backups?.drill?.at)
  },
  {
    name: "nacre_backup_drill_good",
    type: "gauge",
    help: "Whether the last reported drill restored every account as it was",
    read: ({ counts }) => {
      const drill = counts?.backups?.drill
      return drill === undefined ? [] : flag(drill.outcome === "good")
    }
  },
  {
    name: "nacre_invite_required",
    type: "gauge",
    help: "Whether a sign-up needs an invite",
    read: ({ settings }) => flag(settings.inviteRequired)
  },
  {
    name: "nacre_stream_retention_seconds",
    type: "gauge",
    unit: "seconds",
    help: "How long the stream keeps events",
    read: ({ settings }) => seconds(settings.streamRetention)
  },
  {
    name: "nacre_lifetime_seconds",
    type: "gauge",
    unit: "seconds",
    help: "How long tokens and sessions live",
    read: ({ settings }) =>
      Object.entries(settings.lifetimes).map(([kind, millis]) => ({
        labels: { kind },
        value: millis / 1000
      }))
  },
  {
    name: "nacre_relays",
    type: "gauge",
    help: "Relays that the server asks to crawl",
    read: ({ settings }) => one(settings.relays.length)
  },
  {
    name: "nacre_moderators",
    type: "gauge",
    help: "Moderation services that may moderate here",
    read: ({ settings }) => one(settings.moderators.length)
  },
  {
    name: "nacre_import_limit_bytes",
    type: "gauge",
    unit: "bytes",
    help: "The largest repo that may be imported",
    read: ({ settings }) => one(settings.importLimit)
  },
  {
    name: "nacre_blob_limit_bytes",
    type: "gauge",
    unit: "bytes",
    help: "The largest blob",
    read: ({ settings }) => one(settings.blobLimit)
  },
  {
    name: "nacre_blob_quota_bytes",
    type: "gauge",
    unit: "bytes",
    help: "Bytes of blobs that an account may store; 0 for no limit",
    read: ({ settings }) => one(settings.blobQuota)
  }
]

const orNothing = <A, E, R>(asked: Effect.Effect<A, E, R>) =>
  Effect.catch(asked, (failure) =>
    Effect.as(Effect.logWarning("a metric can't be read", failure), undefined)
  )

/**
 * Every metric with its present values; what a failing dependency would tell is left out.
 *
 * Reads everything at once, so a scrape takes only as long as its slowest answer.
 */
export const readMetrics = Effect.gen(function* () {
  const { alerts, d1, disk, r2, sequencer: log } = yield* Readiness
  const sequencer = yield* Sequencer
  const counters = yield* Counters
  const atOnce = { concurrency: "unbounded" } as const
  const known: Known = {
    now: yield* Clock.currentTimeMillis,
    settings: yield* Config,
    ...(yield* Effect.all(
      {
        up: Effect.all({ d1, r2, sequencer: log, ...(disk === undefined ? {} : { disk }) }, atOnce),
        status: orNothing(sequencer.status),
        stream: orNothing(sequencer.subscribers([])),
        counts: orNothing((yield* HostCounts).last),
        alerts,
        relays: orNothing(relaysReport),
        backlog: orNothing(backlogReport),
        storage: orNothing(storageReport),
        sums: counters === undefined ? Effect.undefined : orNothing(counters.sums)
      },
      atOnce
    ))
  }
  return metrics.map(({ read, ...family }): Family => ({ ...family, samples: read(known) }))
})
