/** Timing helpers: percentiles, load by several clients, memory peaks, and the table. */
import { memoryOf } from "./server.ts"

/** The value of a percentile. */
export function percentile(samples, part) {
  const sorted = samples.toSorted((a, b) => a - b)
  return sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * part))] ?? Number.NaN
}

/** The milliseconds of each of `count` sequential runs, after a warm-up. */
export async function sequential(count, run, warmUp = Math.ceil(count / 5)) {
  for (let i = 0; i < warmUp; i++) await run(i)
  const samples = []
  for (let i = 0; i < count; i++) {
    const start = performance.now()
    await run(warmUp + i)
    samples.push(performance.now() - start)
  }
  return samples
}

/** The runs per second of several concurrent clients in the given time. */
export async function perSecond(clients, milliseconds, run) {
  const start = performance.now()
  let runs = 0
  await Promise.all(
    clients.map(async (client) => {
      while (performance.now() - start < milliseconds) {
        await run(client)
        runs += 1
      }
    })
  )
  return runs / ((performance.now() - start) / 1000)
}

/** Runs the body and returns by how many MiB the process grew at its peak. */
export async function growth(pid, body) {
  const before = memoryOf(pid)
  let peak = before
  const timer = setInterval(() => (peak = Math.max(peak, memoryOf(pid))), 20)
  try {
    const result = await body()
    return { result, grown: Math.max(peak, memoryOf(pid)) - before }
  } finally {
    clearInterval(timer)
  }
}

/** A number with about three significant digits. */
export const short = (value) => {
  if (value === undefined || Number.isNaN(value)) return "–"
  if (typeof value !== "number") return String(value)
  if (value >= 100) return Math.round(value).toLocaleString("en")
  return value >= 10 ? value.toFixed(1) : value.toFixed(2)
}

/** Formats rows of cells in columns; aligns all but the first to the right. */
export function table(rows) {
  const widths = rows[0].map((_, column) =>
    Math.max(...rows.map((row) => String(row[column] ?? "").length))
  )
  return rows
    .map((row) =>
      row
        .map((cell, column) =>
          column === 0
            ? String(cell ?? "").padEnd(widths[column])
            : String(cell ?? "").padStart(widths[column])
        )
        .join("  ")
    )
    .join("\n")
}
