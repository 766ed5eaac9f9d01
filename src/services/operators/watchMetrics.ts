import { alertNames } from "../../core/operators/alerts.ts"
import { youngHost } from "../../core/stream/relayReport.ts"
import type { Counted } from "./Counters.ts"
import { by, type Known, type Metric, one, seconds } from "./samples.ts"

/** The most connections with a series of their own, the furthest behind first. */
const mostReaders = 20

const furthestBehind = ({ stream }: Known) =>
  (stream?.readers ?? [])
    .filter(({ connected }) => connected)
    .toSorted((a, b) => b.behind - a.behind)
    .slice(0, mostReaders)

const readerLabels = ({ id = "", userAgent = "", network = "" }) => ({
  id,
  agent: userAgent,
  network
})

/** Sums by outcome. */
const sums =
  (outcomes: Readonly<Record<string, Counted>>): Metric["read"] =>
  ({ sums: known }) =>
    known === undefined
      ? []
      : Object.entries(outcomes).map(([outcome, name]) => ({
          labels: { outcome },
          value: known[name] ?? 0
        }))

const sum =
  (name: Counted): Metric["read"] =>
  ({ sums: known }) =>
    known === undefined ? [] : one(known[name] ?? 0)

/** What the watch learned, and the sums of what happened. */
export const watchMetrics: ReadonlyArray<Metric> = [
  {
    name: "nacre_alerts",
    type: "gauge",
    help: "Open alerts of the watch by kind",
    read: ({ alerts }) => by("alert", alertNames, alerts?.open)
  },
  {
    name: "nacre_watch_timestamp_seconds",
    type: "gauge",
    unit: "seconds",
    help: "When the watch looked last",
    read: ({ alerts }) => seconds(alerts?.at)
  },
  {
    name: "nacre_sign_ins",
    type: "counter",
    help: "Sign-ins with a password, a code or a passkey, by outcome",
    read: sums({ accepted: "sign_in", refused: "sign_in_refused" })
  },
  {
    name: "nacre_rate_limited",
    type: "counter",
    help: "Responses with status 429",
    read: sum("rate_limited")
  },
  {
    name: "nacre_errors",
    type: "counter",
    help: "Responses with a status from 500 up",
    read: sum("error")
  },
  {
    name: "nacre_mails",
    type: "counter",
    help: "Mails by outcome",
    read: sums({ sent: "mail_sent", failed: "mail_failed" })
  },
  {
    name: "nacre_alert_messages",
    type: "counter",
    help: "Messages about alerts by outcome",
    read: sums({ sent: "alert_sent", failed: "alert_failed" })
  },
  {
    name: "nacre_outbox_backlog_accounts",
    type: "gauge",
    help: "Accounts whose events the stream hasn't taken for minutes",
    read: ({ alerts, backlog }) => (alerts === undefined ? [] : one(backlog?.accounts ?? 0))
  },
  {
    name: "nacre_outbox_backlog_events",
    type: "gauge",
    help: "Events that the stream hasn't taken for minutes",
    read: ({ alerts, backlog }) => (alerts === undefined ? [] : one(backlog?.events ?? 0))
  },
  {
    name: "nacre_outbox_backlog_timestamp_seconds",
    type: "gauge",
    unit: "seconds",
    help: "When the oldest of these events was written",
    read: ({ backlog }) => seconds(backlog?.since)
  },
  {
    name: "nacre_database_size_bytes",
    type: "gauge",
    unit: "bytes",
    help: "The size of the database, counted hourly",
    read: ({ counts }) => one(counts?.databaseBytes)
  },
  {
    name: "nacre_stream_size_bytes",
    type: "gauge",
    unit: "bytes",
    help: "The size of the event log's database",
    read: ({ status }) => one(status?.bytes)
  },
  {
    name: "nacre_blobs_bytes",
    type: "gauge",
    unit: "bytes",
    help: "Bytes of blobs of all accounts, summed every six hours",
    read: ({ storage }) => one(storage?.blobBytes)
  },
  {
    name: "nacre_records",
    type: "gauge",
    help: "Records of all accounts, summed every six hours",
    read: ({ storage }) => one(storage?.records)
  },
  {
    name: "nacre_storage_timestamp_seconds",
    type: "gauge",
    unit: "seconds",
    help: "When the accounts' storage was last summed",
    read: ({ storage }) => seconds(storage?.at)
  },
  {
    name: "nacre_backup_age_seconds",
    type: "gauge",
    unit: "seconds",
    help: "How long ago the newest good backup ended",
    read: ({ counts, now }) => {
      const at = counts?.backups?.lastGoodAt
      return at === undefined ? [] : seconds(now - at)
    }
  },
  {
    name: "nacre_stream_recent_events",
    type: "gauge",
    help: "Events of the last hour and day before the watch's last look",
    read: ({ relays }) => by("span", ["hour", "day"], relays?.events)
  },
  {
    name: "nacre_relay_young_limit_events",
    type: "gauge",
    help: "Events that relays take from a young host",
    read: () => by("span", ["hour", "day"], youngHost)
  },
  {
    name: "nacre_subscriber_behind_events",
    type: "gauge",
    help: "How far each open connection is behind, at most 20",
    read: (known) =>
      furthestBehind(known).map((reader) => ({
        labels: readerLabels(reader),
        value: reader.behind
      }))
  },
  {
    name: "nacre_subscriber_behind_seconds",
    type: "gauge",
    unit: "seconds",
    help: "How long each open connection's next event has been waiting, at most 20",
    read: (known) =>
      furthestBehind(known).map((reader) => ({
        labels: readerLabels(reader),
        value: reader.waiting === undefined ? 0 : (known.now - reader.waiting) / 1000
      }))
  },
  {
    name: "nacre_subscriber_rate",
    type: "gauge",
    help: "Events a second that each open connection was sent between the watch's last looks",
    read: (known) =>
      furthestBehind(known).flatMap((reader) => {
        const rate = known.relays?.readers[reader.id ?? ""]?.rate
        return rate === undefined ? [] : [{ labels: readerLabels(reader), value: rate }]
      })
  },
  {
    name: "nacre_relay_behind_events",
    type: "gauge",
    help: "How far each relay is behind, as it says or as its connection shows",
    read: ({ relays }) =>
      (relays?.relays ?? []).flatMap(({ relay, behind }) =>
        behind === undefined ? [] : [{ labels: { relay }, value: behind }]
      )
  },
  {
    name: "nacre_relay_throttled_accounts",
    type: "gauge",
    help: "Accounts that each relay throttles, as far as the watch has asked; at most 20",
    read: ({ relays }) =>
      (relays?.relays ?? []).map(({ relay, throttled }) => ({
        labels: { relay },
        value: throttled.length
      }))
  },
  {
    name: "nacre_relay_accounts",
    type: "gauge",
    help: "Accounts of this server that each relay has",
    read: ({ relays }) =>
      (relays?.relays ?? []).flatMap(({ relay, claim }) =>
        claim.kind === "known" && claim.accounts !== undefined
          ? [{ labels: { relay }, value: claim.accounts }]
          : []
      )
  }
]
