/** Timing helpers: percentiles, load by several clients, memory peaks, and the table. */
import { memoryOf } from "./server.ts"

/** The value of a percentile. */
export function percentile(samples: ReadonlyArray<number>, part: number): number {
  const sorted = samples.toSorted((a, b) => a - b)
  return sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * part))] ?? Number.NaN
}

/** The milliseconds of each of `count` sequential runs, after a warm-up. */
export async function sequential(
  count: number,
  run: (turn: number) => Promise<unknown>,
  warmUp = Math.ceil(count / 5)
): Promise<Array<number>> {
  for (let i = 0; i < warmUp; i++) await run(i)
  const samples: Array<number> = []
  for (let i = 0; i < count; i++) {
    const start = performance.now()
    await run(warmUp + i)
    samples.push(performance.now() - start)
  }
  return samples
}

/** The runs per second of several concurrent clients in the given time. */
export async function perSecond<Client>(
  clients: ReadonlyArray<Client>,
  milliseconds: number,
  run: (client: Client) => Promise<unknown>
): Promise<number> {
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
export async function growth<A>(
  pid: number,
  body: () => Promise<A>
): Promise<{ readonly result: A; readonly grown: number }> {
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

/** What the measurements found, by the keys of the table's rows. */
export type Found = Record<string, number | string | undefined>

/** A number with about three significant digits. */
export const short = (value: number | string | undefined): string => {
  if (value === undefined || Number.isNaN(value)) return "–"
  if (typeof value !== "number") return String(value)
  if (value >= 100) return Math.round(value).toLocaleString("en")
  return value >= 10 ? value.toFixed(1) : value.toFixed(2)
}

/** Formats rows of cells in columns; aligns all but the first to the right. */
export function table(rows: ReadonlyArray<ReadonlyArray<string | undefined>>): string {
  const widths = (rows[0] ?? []).map((_, column) =>
    Math.max(...rows.map((row) => String(row[column] ?? "").length))
  )
  return rows
    .map((row) =>
      row
        .map((cell, column) =>
          column === 0
            ? String(cell ?? "").padEnd(widths[column] ?? 0)
            : String(cell ?? "").padStart(widths[column] ?? 0)
        )
        .join("  ")
    )
    .join("\n")
}
