import type { RequestHour } from "../../../services/operators/Counters.ts"
import type { HourCounts } from "../../../services/operators/HostCounts.ts"
import { keptDays, type StorageDay } from "../../../services/operators/watch/storage.ts"
import { type Html, html } from "../html.ts"
import { overview as text } from "../text/console.ts"
import { bytes } from "../text/consolePeople.ts"

const hoursADay = 24

/** A bar: a value, or undefined for a time that nobody noted. */
type Bar = number | undefined

/** Values by the hour, in hours since 1970. */
type Hours = ReadonlyMap<number, number>

/** The last 24 full hours. */
const byHour = (hours: Hours, current: number) =>
  Array.from({ length: hoursADay }, (_, at): Bar => hours.get(current - hoursADay + at))

/** The last 30 days, with today. */
const byDay = (hours: Hours, current: number) => {
  const sums = new Map<number, number>()
  for (const [hour, value] of hours) {
    const day = Math.floor(hour / hoursADay)
    sums.set(day, (sums.get(day) ?? 0) + value)
  }
  const today = Math.floor(current / hoursADay)
  return Array.from({ length: 30 }, (_, at): Bar => sums.get(today - 29 + at))
}

const height = 40

const barsOf = (bars: ReadonlyArray<Bar>, most: number): string =>
  bars
    .flatMap((value, at) => {
      if (value === undefined) return []
      // An hour without anything keeps a line, unlike one that nobody noted.
      const tall = most === 0 ? 1 : Math.max(1, Math.round((value / most) * height))
      return [`M${at * 10 + 1} ${height}v-${tall}h8v${tall}z`]
    })
    .join("")

const noted = (bars: ReadonlyArray<Bar>): ReadonlyArray<number> =>
  bars.flatMap((value) => (value === undefined ? [] : [value]))

/** Bars, and those of a part of each in another colour. */
const chart = (
  title: string,
  span: string,
  sums: string,
  bars: ReadonlyArray<Bar>,
  part?: ReadonlyArray<Bar>
): Html => {
  const most = Math.max(0, ...noted(bars))
  return html`<figure class="chart">
    <svg
      viewBox="0 0 ${bars.length * 10} ${height + 1}"
      role="img"
      aria-label="${text.chart(title, span, sums)}"
      preserveAspectRatio="none"
    >
      <path class="axis" d="M0 ${height}h${bars.length * 10}v1h-${bars.length * 10}z" />
      <path d="${barsOf(bars, most)}" />
      ${part !== undefined && html`<path class="bad" d="${barsOf(part, most)}" />`}
    </svg>
    <figcaption>${span}: ${sums}</figcaption>
  </figure>`
}

const total = (bars: ReadonlyArray<Bar>): number =>
  noted(bars).reduce((sum, value) => sum + value, 0)

const countsOf = (unit: string, bars: ReadonlyArray<Bar>): string =>
  text.sums(total(bars), Math.max(0, ...noted(bars)), unit)

/** A series of the last 24 hours and of the last 30 days. */
export const charts = (
  hours: ReadonlyArray<HourCounts>,
  series: "events" | "signUps",
  current: number
): Html => {
  const values = new Map(hours.map((one) => [one.hour, one[series]]))
  const [day, month] = [byHour(values, current), byDay(values, current)]
  return html`<h3>${text[series]}</h3>
    ${chart(text[series], text.day, countsOf(text.hour, day), day)}
    ${chart(text[series], text.month, countsOf(text.aDay, month), month)}`
}

/** The counted requests, with the present hour and day, and which of them failed; nothing if none was counted. */
export const requestCharts = (
  hours: ReadonlyArray<RequestHour>,
  current: number
): Html | undefined => {
  if (hours.length === 0) return undefined
  const seriesOf = (valueOf: (hour: RequestHour) => number): Hours =>
    new Map(hours.map((one) => [one.hour, valueOf(one)]))
  const all = seriesOf(({ failed, ok, refused }) => ok + refused + failed)
  const refused = seriesOf((one) => one.refused)
  // Only hours and days with a failure get a red bar.
  const failed = new Map([...seriesOf((one) => one.failed)].filter(([, value]) => value > 0))
  const charted = (
    span: string,
    unit: string,
    spread: (of: Hours, at: number) => ReadonlyArray<Bar>
  ) => {
    const [bars, bad] = [spread(all, current), spread(failed, current)]
    const answers = text.answers(total(spread(refused, current)), total(bad))
    return chart(text.requests, span, `${countsOf(unit, bars)}, ${answers}`, bars, bad)
  }
  return html`<h3>${text.requests}</h3>
    ${charted(text.day, text.hour, (of, at) => byHour(of, at + 1))}
    ${charted(text.month, text.aDay, byDay)}
    <p class="hint">${text.requestsHint}</p>`
}

/** What all accounts stored on each of the last 30 days; nothing if no day was noted. */
export const storageChart = (days: ReadonlyArray<StorageDay>, today: number): Html | undefined => {
  const values = new Map(days.map(({ day, blobBytes }) => [day, blobBytes]))
  const bars = Array.from({ length: keptDays }, (_, at): Bar =>
    values.get(today + 1 - keptDays + at)
  )
  const newest = noted(bars).at(-1)
  if (newest === undefined) return undefined
  const sums = text.stored(bytes(newest), bytes(Math.max(...noted(bars))))
  return html`<h3>${text.storage}</h3>
    ${chart(text.storage, text.month, sums, bars)}`
}
