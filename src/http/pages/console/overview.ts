import * as Effect from "effect/Effect"
import { alertKinds } from "../../../core/operators/alerts.ts"
import { version } from "../../../core/host/version.ts"
import { Config } from "../../../services/host/Config.ts"
import { type Outcome, Readiness } from "../../../services/host/Readiness.ts"
import { Mailer } from "../../../services/mail/Mailer.ts"
import { Alerts } from "../../../services/operators/Alerts.ts"
import { storageDays } from "../../../services/operators/watch/storage.ts"
import { waitingResets } from "../../../services/operators/watch/resets.ts"
import { Counters, keptRequestHours } from "../../../services/operators/Counters.ts"
import { type Counts, HostCounts, keptHours } from "../../../services/operators/HostCounts.ts"
import { type RelayCall, Sequencer, type Subscribers } from "../../../services/stream/Sequencer.ts"
import { settingWarnings } from "../../host/health.ts"
import { CurrentRequest } from "../../CurrentRequest.ts"
import { agoInWords } from "../account/words.ts"
import { type Child, type Html, html } from "../html.ts"
import { frame, inTerminal, overview as text } from "../text/console.ts"
import { charts, requestCharts, storageChart } from "./chart.ts"
import { consolePath, type ConsolePage, framed } from "./frame.ts"
import type { Operating } from "./operating.ts"

/** A line of the first page: something that works, or a fault with its remedy. */
interface Line {
  readonly name: string
  readonly state: "ok" | "fault" | "off"
  readonly says: Child
  /** The button or command that mends it. */
  readonly remedy?: Child
}

/** A line as a row of the list. */
export const lineOf = ({ name, state, says, remedy }: Line): Html => {
  const kind = state === "off" ? "" : state === "ok" ? "good" : "bad"
  return html`<li class="row">
    <span class="grow"
      ><strong>${name} <span class="tag ${kind}">${text[state]}</span></strong
      ><small>${says}</small>${remedy !== undefined && html`<small>${remedy}</small>`}</span
    >
  </li>`
}

const dependency = (name: string, outcome: Outcome, works: string = text.responds): Line =>
  outcome === "ok"
    ? { name, state: "ok", says: works }
    : outcome === "full"
      ? { name, state: "fault", says: text.full }
      : { name, state: "fault", says: text.silent, remedy: inTerminal("logs") }

const dependencies = Effect.gen(function* () {
  const { d1, r2, sequencer, disk } = yield* Readiness
  const found = yield* Effect.all(
    { d1, r2, sequencer, ...(disk === undefined ? {} : { disk }) },
    { concurrency: "unbounded" }
  )
  return [
    dependency(text.database, found.d1),
    dependency(text.blobs, found.r2),
    dependency(text.log, found.sequencer),
    ...(found.disk === undefined ? [] : [dependency(text.disk, found.disk, text.hasRoom)])
  ]
})

const relayLine = ({ relay, at, ok, status, message }: RelayCall, now: number): Line => {
  const name = text.relay(new URL(relay).host)
  if (at === undefined) return { name, state: "off", says: text.relayNever }
  const ago = agoInWords(at, now)
  if (ok) return { name, state: "ok", says: text.relayOk(ago) }
  const answer = message ?? (status === undefined ? text.noAnswer : String(status))
  const remedy = html`<a href="${consolePath("network")}">${text.look}</a>, ${inTerminal("relays")}`
  return { name, state: "fault", says: text.relayRefused(ago, answer), remedy }
}

/** The lines about relays and readers. */
export const streamLines = (stream: Subscribers, now: number): ReadonlyArray<Line> => {
  const connected = stream.readers.filter((reader) => reader.connected)
  const behind = Math.max(0, ...connected.map((reader) => reader.behind))
  const relays = stream.relays.map((call) => relayLine(call, now))
  return [
    ...(relays.length === 0
      ? [{ name: text.relays, state: "off", says: text.noRelays } as const]
      : relays),
    { name: text.readers, state: "ok", says: text.readersOf(connected.length, behind) }
  ]
}

const backupLine = Effect.fnUntraced(function* (now: number) {
  const { backups } = yield* Readiness
  const health = yield* backups
  const name = text.backups
  if (health === undefined) {
    return {
      name,
      state: "off",
      says: text.noStore,
      remedy: inTerminal("backup --help")
    } satisfies Line as Line
  }
  const { lastGoodAt, isLate, faulty } = health
  const remedy = html`<a href="${consolePath("backups")}">${text.backUpNow}</a>,
    ${inTerminal("backup now")}`
  const failed = faulty === 0 ? "" : text.faulty(faulty)
  if (lastGoodAt === undefined) {
    return { name, state: "fault", says: `${text.noGood}${failed}`, remedy } satisfies Line as Line
  }
  const ago = agoInWords(lastGoodAt, now)
  return (isLate || faulty > 0
    ? {
        name,
        state: "fault",
        says: `${isLate ? text.late(ago) : text.lastGood(ago)}${failed}`,
        remedy
      }
    : { name, state: "ok", says: text.lastGood(ago) }) satisfies Line as Line
})

/** What the watch has found, apart from what the page looks at itself. */
const alertLines = Effect.gen(function* () {
  const open = yield* (yield* Alerts).list({ past: false, limit: 20 })
  return open
    .filter(({ kind }) => kind !== "dependency-down" && kind !== "reset-waiting")
    .map(({ kind, subject, detail }): Line => ({
      name: text.watch,
      state: "fault",
      says: [alertKinds[kind].title, subject, detail].filter((part) => part !== "").join(": "),
      remedy: inTerminal("watch")
    }))
})

/** Members who wait for a code that only an operator can read. */
const resetLines = Effect.fnUntraced(function* (now: number) {
  const waiting = yield* waitingResets(now)
  return waiting.map(({ did, handle }): Line => ({
    name: text.resets,
    state: "fault",
    says: text.waits(handle),
    remedy: html`<a href="${consolePath("account", { did })}">${text.lookAtAccount}</a>,
      ${inTerminal(`account codes ${handle}`)}`
  }))
})

const settingLines = Effect.gen(function* () {
  const { delivers } = yield* Mailer
  const { url } = yield* CurrentRequest
  const warnings = settingWarnings(url, yield* Config)
  return [
    delivers
      ? { name: text.mail, state: "ok", says: text.mailOn }
      : { name: text.mail, state: "off", says: text.mailOff, remedy: inTerminal("account codes") },
    ...warnings.map(({ variable, message }): Line => ({
      name: text.warnings,
      state: "fault",
      says: `${variable} ${message}`,
      remedy: html`<a href="${consolePath("configuration")}">${frame.tabs.configuration}</a>`
    })),
    { name: text.version, state: "ok", says: version }
  ] satisfies ReadonlyArray<Line> as ReadonlyArray<Line>
})

const countsOf = (counts: Counts | undefined, now: number): Html => {
  if (counts === undefined) return html`<p class="hint">${text.notCounted}</p>`
  const byStatus = Object.entries(counts.accounts)
    .filter(([status]) => status !== "reserved")
    .map(([status, n]) => `${n} ${text.statuses[status] ?? status}`)
  const operators = Object.values(counts.operators).reduce((sum, n) => sum + n, 0)
  return html`<dl class="facts">
      <dt>${text.accounts}</dt>
      <dd>${byStatus.join(", ") || "0"}</dd>
      <dt>${text.newAccounts}</dt>
      <dd>${counts.newAccounts}</dd>
      <dt>${text.inviteCodes}</dt>
      <dd>${counts.rows["invites"] ?? 0}</dd>
      <dt>${text.operators}</dt>
      <dd>${operators}</dd>
    </dl>
    <p class="hint">${text.countedAt(agoInWords(counts.at, now))}</p>`
}

const anHour = 3_600_000
const aDay = 24 * anHour

const history = Effect.fnUntraced(function* (now: number) {
  const current = Math.floor(now / anHour)
  const counts = yield* HostCounts
  const counters = yield* Counters
  const { days, hours, requests } = yield* Effect.all(
    {
      hours: counts.hours(current - keptHours),
      requests: counters?.requests(current - keptRequestHours) ?? Effect.succeed([]),
      days: storageDays
    },
    { concurrency: "unbounded" }
  )
  return html`${
    hours.length === 0
      ? html`<p class="hint">${text.noHistory}</p>`
      : html`${charts(hours, "events", current)} ${charts(hours, "signUps", current)}`
  }
  ${requestCharts(requests, current)}
  ${hours.length > 0 && storageChart(days, Math.floor(now / aDay))}`
})

/** What a failing dependency would tell is left out: the page must show exactly then. */
const orNothing = <A, E, R>(asked: Effect.Effect<A, E, R>) =>
  Effect.catch(asked, (failure) =>
    Effect.as(Effect.logWarning("the console can't read something", failure), undefined)
  )

const show = Effect.fn("console.overview")(function* (operating: Operating) {
  const { now } = operating
  const stream = yield* orNothing((yield* Sequencer).subscribers([]))
  const lines = [
    ...(yield* dependencies),
    ...(stream === undefined ? [] : streamLines(stream, now)),
    yield* backupLine(now),
    ...((yield* orNothing(alertLines)) ?? []),
    ...((yield* orNothing(resetLines(now))) ?? []),
    ...(yield* settingLines)
  ]
  const faults = lines.filter(({ state }) => state === "fault")
  const counts = yield* orNothing(Effect.flatMap(HostCounts, ({ last }) => last))
  const body = html`<div class="note ${faults.length === 0 ? "good" : "bad"}">
      <p>${faults.length === 0 ? text.well : text.faults(faults.length)}</p>
    </div>
    <ul class="list">
      ${[...faults, ...lines.filter(({ state }) => state !== "fault")].map(lineOf)}
    </ul>
    <h2>${text.counts}</h2>
    ${countsOf(counts, now)}
    <h2>${text.history}</h2>
    ${yield* orNothing(history(now))}`
  return framed(operating, { title: text.title, tab: "", body })
})

/** `/admin`: whether the server is well, with the command or button for each fault. */
export const overviewPage: ConsolePage = { role: "admin", show }
