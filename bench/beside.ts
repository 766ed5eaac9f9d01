#!/usr/bin/env node
/**
 * Side by side with the reference PDS: both in one run on one machine, each measurement in turns.
 */
import { randomBytes } from "node:crypto"
import { loadavg } from "node:os"
import { resolve } from "node:path"
import { parseArgs } from "node:util"
import { type Contender, contenders, type Peers, type Side } from "./besideSides.ts"
import { percentile, perSecond, short } from "./measure.ts"
import { cpuOf, memoryOf, peakOf } from "./server.ts"
import { frameOf, openSubscribers, replay } from "./subscribers.ts"

/** What to measure. */
interface BesideOptions extends Peers {
  /** Records before the measurements. */
  readonly records: number
  readonly rounds: number
  /** The time for all of it: a measurement that exceeds its share gets fewer rounds. */
  readonly minutes: number
  /** Calls of a measurement at most, and its milliseconds. */
  readonly calls: number
  readonly milliseconds: number
  readonly subscribers: ReadonlyArray<number>
  /** Takes each line of the result when it is known. */
  readonly print: (line: string) => void
  readonly say: (text: string) => void
}

type Numbers = Readonly<Record<string, number>>

/** The milliseconds of calls one after another: as many as given, or as fit into the time. */
const timed = async (
  { milliseconds }: Pick<BesideOptions, "milliseconds">,
  calls: number,
  run: (turn: number) => Promise<unknown>
): Promise<ReadonlyArray<number>> => {
  const samples: Array<number> = []
  const from = performance.now()
  while (
    samples.length < calls &&
    (samples.length < 2 || performance.now() - from < milliseconds)
  ) {
    const start = performance.now()
    await run(samples.length)
    samples.push(performance.now() - start)
  }
  return samples
}

/** A median call in milliseconds, and the CPU time of the process for each. */
const latency = async (
  side: Side,
  options: BesideOptions,
  calls: number,
  run: (turn: number) => Promise<unknown>
) => {
  const before = cpuOf(side.pid)
  const times = await timed(options, calls, run)
  return { p50: percentile(times, 0.5), cpu: (cpuOf(side.pid) - before) / times.length }
}

const rkeysOf = async ({ account }: Side): Promise<ReadonlyArray<string>> => {
  const { body } = await account.listRecords(account.client)
  // SAFETY: what listRecords answers.
  const { records } = JSON.parse(body.toString()) as {
    readonly records: ReadonlyArray<{ readonly uri: string }>
  }
  return records.map(({ uri }) => uri.slice(uri.lastIndexOf("/") + 1))
}

type Measure = (side: Side, options: BesideOptions) => Promise<Numbers>

const write: Measure = async (side, options) => {
  const { account, clients } = side
  const { p50, cpu } = await latency(side, options, options.calls, () =>
    account.createRecord(account.client)
  )
  const eight = await perSecond(clients, options.milliseconds, (one) => account.createRecord(one))
  return { createRecord: p50, createRecordCpu: cpu, createRecord8: eight }
}

const batch: Measure = async ({ account }, options) => {
  const batches = Math.max(2, Math.ceil(options.calls / 40))
  const times = await timed(options, batches, () => account.applyWrites(account.client, 200))
  return { applyWrites: 200_000 / percentile(times, 0.5) }
}

const read: Measure = async (side, options) => {
  const { account, clients } = side
  const rkeys = await rkeysOf(side)
  const one = (turn: number) => rkeys[turn % rkeys.length] ?? ""
  const { p50, cpu } = await latency(side, options, options.calls, (turn) =>
    account.getRecord(account.client, one(turn))
  )
  let turn = 0
  const eight = await perSecond(clients, options.milliseconds, (client) =>
    account.getRecord(client, one(turn++))
  )
  return { getRecord: p50, getRecordCpu: cpu, getRecord8: eight }
}

const list: Measure = async (side, options) => {
  const { account } = side
  const { p50, cpu } = await latency(side, options, Math.ceil(options.calls / 4), () =>
    account.listRecords(account.client)
  )
  return { listRecords: p50, listRecordsCpu: cpu }
}

const download: Measure = async (side, options) => {
  const { account } = side
  const { p50, cpu } = await latency(side, options, 3, () =>
    account.getRepo(account.client, { discard: true })
  )
  return { getRepo: p50, getRepoCpu: cpu }
}

const upload: Measure = async (side, options) => {
  const { account } = side
  const { p50, cpu } = await latency(side, options, Math.ceil(options.calls / 10), () =>
    account.uploadBlob(account.client, randomBytes(1_000_000))
  )
  return { uploadBlob: p50, uploadBlobCpu: cpu }
}

/** How long the last frames of a broadcast may take, in milliseconds. */
const lastFrames = 15_000

const broadcast =
  (count: number): Measure =>
  async (side, options) => {
    const { account } = side
    const subscribers = await openSubscribers(side.url, count)
    const before = cpuOf(side.pid)
    const posts = Math.ceil(options.calls / (count > 100 ? 10 : 2))
    const times = await timed(options, posts, () => account.createRecord(account.client))
    const isWhole = await subscribers.all(times.length, lastFrames)
    // The CPU of the frames counts too: those of a slow server leave after its responses.
    const cpu = (cpuOf(side.pid) - before) / times.length
    await subscribers.close()
    if (!isWhole) options.say(`${side.name}: frames were missing after ${lastFrames / 1000} s`)
    return { [`subscribers${count}`]: percentile(times, 0.5), [`subscribersCpu${count}`]: cpu }
  }

const replays: Measure = async ({ url, account }, { milliseconds }) => {
  const last = await frameOf(url, () => account.createRecord(account.client))
  const isLast = (frame: Buffer) => frame.length === last.length && last.equals(frame)
  const { frames, seconds } = await replay(url, 0, isLast, milliseconds * 5)
  return { replay: frames / seconds }
}

const peak: Measure = ({ pid }) => Promise.resolve({ peak: peakOf(pid), end: memoryOf(pid) })

/** A row of the table; a rate is better when it is larger. */
type Row = readonly [key: string, label: string, isRate?: "rate"]

/** Measurements, each with its rows. */
const measuresOf = (
  subscribers: ReadonlyArray<number>
): ReadonlyArray<readonly [Measure, ...ReadonlyArray<Row>]> => [
  [
    write,
    ["createRecord", "createRecord p50, ms"],
    ["createRecordCpu", "createRecord CPU, ms"],
    ["createRecord8", "createRecord, 8 clients, /s", "rate"]
  ],
  [batch, ["applyWrites", "applyWrites × 200, records/s", "rate"]],
  [
    read,
    ["getRecord", "getRecord p50, ms"],
    ["getRecordCpu", "getRecord CPU, ms"],
    ["getRecord8", "getRecord, 8 clients, /s", "rate"]
  ],
  [list, ["listRecords", "listRecords(100) p50, ms"], ["listRecordsCpu", "listRecords CPU, ms"]],
  [download, ["getRepo", "getRepo, ms"], ["getRepoCpu", "getRepo CPU, ms"]],
  [upload, ["uploadBlob", "uploadBlob 1 MB p50, ms"], ["uploadBlobCpu", "uploadBlob CPU, ms"]],
  ...subscribers.map(
    (count) =>
      [
        broadcast(count),
        [`subscribers${count}`, `createRecord p50 with ${count} subscribers, ms`],
        [`subscribersCpu${count}`, `createRecord and ${count} frames CPU, ms`]
      ] as const
  ),
  [replays, ["replay", "replay, frames/s", "rate"]],
  [peak, ["peak", "memory at its peak, MiB"], ["end", "memory at the end, MiB"]]
]

const median = (values: ReadonlyArray<number>): number => percentile(values, 0.5)

/** A row in Markdown, of the medians and their ratio. */
const line = ([key, label, rate]: Row, found: ReadonlyArray<ReadonlyArray<Numbers>>): string => {
  const [ours, theirs] = found.map((of) => median(of.map((numbers) => numbers[key] ?? Number.NaN)))
  const ratio = rate ? (ours ?? 0) / (theirs ?? 0) : (theirs ?? 0) / (ours ?? 0)
  return `| ${label} | ${short(ours)} | ${short(theirs)} | ${ratio.toFixed(1)}× |`
}

/** Fills both repos in turns: they have equally many records when the time has expired. */
const fill = async (sides: ReadonlyArray<Side>, { records, minutes }: BesideOptions) => {
  const from = performance.now()
  let filled = 0
  while (filled < records && performance.now() - from < (minutes * 60_000) / 4) {
    for (const { account } of sides) await account.applyWrites(account.client, 200)
    filled += 200
  }
  return filled
}

/** Measures both servers in turns, and prints each row when it is known. */
const beside = async (options: BesideOptions): Promise<void> => {
  const { rounds, minutes, print, say } = options
  const load = () => loadavg()[0]?.toFixed(1)
  const loadBefore = load()
  let fewest = rounds
  const both = await contenders(options)
  /** Rounds in turns, until all are done or their share of the time has expired. */
  const inTurns = async <A>(of: readonly [A, A], run: (one: A) => Promise<Numbers>) => {
    const found: [Array<Numbers>, Array<Numbers>] = [[], []]
    const from = performance.now()
    let round = 0
    while (round < rounds && (round === 0 || performance.now() - from < (minutes * 60_000) / 15)) {
      // Who comes first changes, so neither always meets a warm or a busy machine.
      for (const at of round % 2 === 0 ? ([0, 1] as const) : ([1, 0] as const)) {
        found[at].push(await run(of[at]))
      }
      round += 1
    }
    fewest = Math.min(fewest, round)
    return found
  }
  try {
    print("| | Nacre | reference | better by |\n| --- | --: | --: | --: |")
    const starts = await inTurns(both, ({ restart }: Contender) => restart())
    print(line(["start", "start, ms"], starts))
    print(line(["idle", "memory after the start, MiB"], starts))
    const sides = [await both[0].side(), await both[1].side()] as const
    const filled = await fill(sides, options)
    const memory = sides.map(({ pid }) => [{ filled: memoryOf(pid) }])
    print(line(["filled", `memory after ${filled} records, MiB`], memory))
    for (const [measure, ...rows] of measuresOf(options.subscribers)) {
      say(rows.map(([, label]) => label).join(", "))
      const found = await inTurns(sides, (side) => measure(side, options))
      for (const row of rows) print(line(row, found))
    }
  } finally {
    for (const one of both) await one.stop()
  }
  print("")
  print(
    "Nacre syncs every commit to the disk before its response (synchronous=FULL); the reference doesn't (NORMAL)."
  )
  print(
    `Medians of ${fewest === rounds ? rounds : `${fewest} to ${rounds}`} rounds in turns; load of the machine ${loadBefore} before, ${load()} after.`
  )
}

const help = `node bench/beside.ts --reference <folder> [--node <path>] [--records 20000] [--rounds 3]
                     [--minutes 10] [--subscribers 1,50,1000] [--quick]

Starts the packed server on this machine and the reference PDS, each over an empty folder, and measures both in
turns. Prints each row of a Markdown table when it is known. On a machine too busy for --minutes, a measurement has
fewer rounds.
--reference names a copy of test/peers, after npm run peers, into which npm install better-sqlite3@10.1.0 has brought
the reference's own SQLite instead of the tests' stand-in. --node is the Node of its addon.
npm run package builds the server, which is what npx nacre serve runs.`

const { values } = parseArgs({
  options: {
    reference: { type: "string" },
    node: { type: "string", default: process.execPath },
    records: { type: "string" },
    rounds: { type: "string" },
    minutes: { type: "string", default: "10" },
    subscribers: { type: "string", default: "1,50,1000" },
    quick: { type: "boolean", default: false },
    help: { type: "boolean", short: "h", default: false }
  }
})

if (values.help || values.reference === undefined) console.log(help)
else {
  const { quick } = values
  await beside({
    reference: resolve(values.reference),
    node: values.node,
    records: Number(values.records ?? (quick ? 1000 : 20_000)),
    rounds: Number(values.rounds ?? (quick ? 1 : 3)),
    minutes: Number(values.minutes),
    calls: quick ? 40 : 400,
    milliseconds: quick ? 1000 : 4000,
    subscribers: values.subscribers.split(",").map(Number),
    print: console.log,
    say: (text) => process.stderr.write(`${text} …\n`)
  })
}
