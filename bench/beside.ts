#!/usr/bin/env node
/**
 * Side by side with the reference PDS: both in one run on one machine, each measurement in turns.
 */
import { randomBytes } from "node:crypto"
import { loadavg } from "node:os"
import { resolve } from "node:path"
import { parseArgs } from "node:util"
import { type Peers, type Side, startNacre, startReference } from "./besideSides.ts"
import { percentile, perSecond, sequential, short, table } from "./measure.ts"
import { cpuOf, memoryOf } from "./server.ts"
import { frameOf, openSubscribers, replay } from "./subscribers.ts"

/** What to measure. */
interface BesideOptions extends Peers {
  /** Records before the measurements. */
  readonly records: number
  readonly rounds: number
  /** Calls of a measurement, and its milliseconds with eight clients. */
  readonly calls: number
  readonly milliseconds: number
  readonly subscribers: ReadonlyArray<number>
  readonly say: (text: string) => void
}

type Numbers = Readonly<Record<string, number>>

/** A median call in milliseconds, and the CPU time of the process for each. */
const latency = async (side: Side, calls: number, run: (turn: number) => Promise<unknown>) => {
  const before = cpuOf(side.pid)
  const times = await sequential(calls, run, 0)
  return { p50: percentile(times, 0.5), cpu: (cpuOf(side.pid) - before) / calls }
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

const write: Measure = async (side, { calls, milliseconds }) => {
  const { account, clients } = side
  const { p50, cpu } = await latency(side, calls, () => account.createRecord(account.client))
  const eight = await perSecond(clients, milliseconds, (one) => account.createRecord(one))
  return { createRecord: p50, createRecordCpu: cpu, createRecord8: eight }
}

const batch: Measure = async ({ account }, { calls }) => {
  const batches = Math.max(2, Math.ceil(calls / 40))
  const times = await sequential(batches, () => account.applyWrites(account.client, 200), 0)
  return { applyWrites: 200_000 / percentile(times, 0.5) }
}

const read: Measure = async (side, { calls, milliseconds }) => {
  const { account, clients } = side
  const rkeys = await rkeysOf(side)
  const one = (turn: number) => rkeys[turn % rkeys.length] ?? ""
  const { p50, cpu } = await latency(side, calls, (turn) =>
    account.getRecord(account.client, one(turn))
  )
  let turn = 0
  const eight = await perSecond(clients, milliseconds, (client) =>
    account.getRecord(client, one(turn++))
  )
  const listed = await latency(side, Math.ceil(calls / 4), () =>
    account.listRecords(account.client)
  )
  return { getRecord: p50, getRecordCpu: cpu, getRecord8: eight, listRecords: listed.p50 }
}

const download: Measure = async ({ account }) => {
  const times = await sequential(3, () => account.getRepo(account.client, { discard: true }), 0)
  return { getRepo: percentile(times, 0.5) }
}

const upload: Measure = async ({ account }, { calls }) => {
  const times = await sequential(
    Math.ceil(calls / 10),
    () => account.uploadBlob(account.client, randomBytes(1_000_000)),
    0
  )
  return { uploadBlob: percentile(times, 0.5) }
}

const broadcast =
  (count: number): Measure =>
  async (side, { calls }) => {
    const { account } = side
    const subscribers = await openSubscribers(side.url, count)
    const posts = Math.ceil(calls / (count > 100 ? 10 : 2))
    const { p50, cpu } = await latency(side, posts, () => account.createRecord(account.client))
    await new Promise((done) => setTimeout(done, 1000))
    const frames = await subscribers.close()
    return {
      [`subscribers${count}`]: p50,
      [`subscribersCpu${count}`]: cpu,
      [`subscribersHeard${count}`]: frames / (posts * count)
    }
  }

const replays: Measure = async ({ url, account }) => {
  const last = await frameOf(url, () => account.createRecord(account.client))
  const { frames, seconds, complete } = await replay(
    url,
    0,
    (frame) => frame.length === last.length && last.equals(frame)
  )
  return { replay: complete ? frames / seconds : Number.NaN }
}

const median = (values: ReadonlyArray<number>): number => percentile(values, 0.5)

/** The rows of the table; a rate is better when it is larger. */
const rowsOf = (subscribers: ReadonlyArray<number>) =>
  [
    ["start", "start, ms", false],
    ["idle", "memory at the start, MiB", false],
    ["createRecord", "createRecord p50, ms", false],
    ["createRecordCpu", "… CPU, ms", false],
    ["createRecord8", "createRecord, 8 clients, /s", true],
    ["applyWrites", "applyWrites × 200, records/s", true],
    ["getRecord", "getRecord p50, ms", false],
    ["getRecordCpu", "… CPU, ms", false],
    ["getRecord8", "getRecord, 8 clients, /s", true],
    ["listRecords", "listRecords(100) p50, ms", false],
    ["getRepo", "getRepo, ms", false],
    ["uploadBlob", "uploadBlob 1 MB p50, ms", false],
    ...subscribers.flatMap((count) => [
      [`subscribers${count}`, `createRecord p50 with ${count} subscribers, ms`, false] as const,
      [`subscribersCpu${count}`, "… CPU, ms", false] as const,
      [`subscribersHeard${count}`, "… part of the frames that arrived", true] as const
    ]),
    ["replay", "replay, frames/s", true],
    ["filled", "memory with the records, MiB", false],
    ["end", "memory at the end, MiB", false]
  ] as ReadonlyArray<readonly [key: string, label: string, isRate: boolean]>

/** Measures both servers in turns; prints the medians and their ratios. */
const beside = async (options: BesideOptions): Promise<string> => {
  const { records, rounds, subscribers, say } = options
  const load = () => loadavg()[0]?.toFixed(1)
  const loadBefore = load()
  const sides = [await startNacre(), await startReference(options)]
  const found = new Map(sides.map((side) => [side, new Map<string, Array<number>>()]))
  const note = (side: Side, numbers: Numbers) => {
    for (const [key, value] of Object.entries(numbers)) {
      const known = found.get(side)?.get(key) ?? []
      found.get(side)?.set(key, [...known, value])
    }
  }
  try {
    for (const side of sides) note(side, { start: side.startMillis, idle: memoryOf(side.pid) })
    for (const side of sides) {
      say(`${side.name}: ${records} records`)
      const { account } = side
      for (let at = 0; at < records; at += 200) await account.applyWrites(account.client, 200)
      note(side, { filled: memoryOf(side.pid) })
    }
    const measures: ReadonlyArray<readonly [string, Measure]> = [
      ["writes", write],
      ["batches", batch],
      ["reads", read],
      ["exports", download],
      ["uploads", upload],
      ...subscribers.map((count) => [`${count} subscribers`, broadcast(count)] as const),
      ["replay", replays]
    ]
    for (const [name, measure] of measures) {
      for (let round = 1; round <= rounds; round++) {
        say(`${name}, round ${round}`)
        // Who comes first changes, so neither always meets a warm or a busy machine.
        for (const side of round % 2 === 1 ? sides : sides.toReversed()) {
          note(side, await measure(side, options))
        }
      }
    }
    for (const side of sides) note(side, { end: memoryOf(side.pid) })
  } finally {
    for (const side of sides) await side.stop()
  }
  const [ours, theirs] = sides.map((side) => found.get(side))
  const lines = rowsOf(subscribers).map(([key, label, isRate]) => {
    const [mine, other] = [ours, theirs].map((of) => median(of?.get(key) ?? []))
    const ratio = isRate ? (mine ?? 0) / (other ?? 0) : (other ?? 0) / (mine ?? 0)
    return [label, short(mine), short(other), `${ratio.toFixed(1)}×`]
  })
  return [
    table([[`${records} records`, "Nacre", "reference", "better by"], ...lines]),
    "",
    "Nacre syncs every commit to the disk before its answer (synchronous=FULL); the reference doesn't (NORMAL).",
    `Medians of ${rounds} rounds in turns; load of the machine ${loadBefore} before, ${load()} after.`
  ].join("\n")
}

const help = `node bench/beside.ts [--reference test/peers] [--node <path>] [--records 20000] [--rounds 3]
                     [--subscribers 1,50,1000] [--quick]

Starts a server on one machine and the reference PDS, each over an empty folder, and measures both in turns.
--reference names a folder with the reference among its packages, as test/peers after npm run peers; its addon is
compiled there without optimization, so run npm rebuild better-sqlite3 in a copy of the folder first. --node is the
Node of that addon.`

const { values } = parseArgs({
  options: {
    reference: { type: "string", default: "test/peers" },
    node: { type: "string", default: process.execPath },
    records: { type: "string" },
    rounds: { type: "string" },
    subscribers: { type: "string", default: "1,50,1000" },
    quick: { type: "boolean", default: false },
    help: { type: "boolean", short: "h", default: false }
  }
})

if (values.help) console.log(help)
else {
  const { quick } = values
  const found = await beside({
    reference: resolve(values.reference),
    node: values.node,
    records: Number(values.records ?? (quick ? 1000 : 20_000)),
    rounds: Number(values.rounds ?? (quick ? 1 : 3)),
    calls: quick ? 40 : 400,
    milliseconds: quick ? 1000 : 4000,
    subscribers: values.subscribers.split(",").map(Number),
    say: (text) => process.stderr.write(`${text}\n`)
  })
  console.log(found)
}
