/** The measurements: each takes the running server and returns numbers by the key of their row. */
import type { BenchAccount } from "./account.ts"
import type { Floor } from "./floor.ts"
import type { Answer } from "./http.ts"
import { type Found, growth, percentile, perSecond, sequential } from "./measure.ts"
import { type BenchServer, cpuOf } from "./server.ts"
import { frameOf, openSubscribers, replay } from "./subscribers.ts"

const median = (samples: ReadonlyArray<number>): number => percentile(samples, 0.5)
const pause = (milliseconds: number) => new Promise<void>((done) => setTimeout(done, milliseconds))
/** The record key in a write's response. */
export const rkeyOf = (answer: Answer): string =>
  JSON.parse(answer.body.toString()).uri.split("/").at(-1)

/**
 * Adds posts with applyWrites of 200 until the repo has `size` records; returns the rate in
 * records per second.
 */
export async function fill(account: BenchAccount, size: number): Promise<Found> {
  const start = performance.now()
  let records = 0
  const before = await rowsSoFar(account)
  while (records < size) {
    const count = Math.min(200, size - records)
    await account.applyWrites(account.client, count)
    records += count
  }
  if (records === 0) return {}
  const seconds = (performance.now() - start) / 1000
  return { fill: records / seconds, fillRows: ((await rowsSoFar(account)) - before) / records }
}

/**
 * The rows written by all objects so far, alarms included, as the server reports with DEBUG_ROWS.
 */
const rowsSoFar = async (account: BenchAccount): Promise<number> => {
  // Also counts what follows a write (the delivery to the log, its alarm).
  await pause(300)
  const { head } = await account.client.request("GET", "/robots.txt")
  const found = /\r\nx-rows-written: *(\d+)/i.exec(head)
  return found === null ? Number.NaN : Number(found[1])
}

/**
 * importRepo of the account's own export: its time, the increase of workerd's memory, the rows it
 * writes.
 */
export async function imports(
  account: BenchAccount,
  { pid, size }: { readonly pid: number; readonly size: number }
): Promise<Found> {
  const { client } = account
  const car = (await account.getRepo(client)).body
  // The simulated R2 runs in the same process: bodies of this size are sent first, until it needs
  // no more memory for them.
  for (let times = 0; times < 6; times++) await account.uploadBlob(client, car)
  const before = await rowsSoFar(account)
  const start = performance.now()
  let seconds = 0
  const { grown } = await growth(pid, async () => {
    await account.importRepo(client, car)
    seconds = (performance.now() - start) / 1000
  })
  const rows = (await rowsSoFar(account)) - before
  return { import: seconds, importMemory: grown, importRows: rows / size }
}

/** createRecord: one client, eight clients, rows. */
export async function writes(
  account: BenchAccount,
  { runs, milliseconds }: { readonly runs: number; readonly milliseconds: number }
): Promise<Found> {
  const before = await rowsSoFar(account)
  // More than there are samples: those of the warm-up write rows, too.
  let posts = 0
  const samples = await sequential(runs, () =>
    account.createRecord(account.client).finally(() => (posts += 1))
  )
  const rows = (await rowsSoFar(account)) - before
  const clients = await Promise.all(Array.from({ length: 8 }, account.connect))
  const rate = await perSecond(clients, milliseconds, account.createRecord)
  for (const client of clients) client.close()
  return {
    createRecord: median(samples),
    createRecordP99: percentile(samples, 0.99),
    createRecord8: rate,
    rowsPerPost: rows / posts
  }
}

/** getRecord, and listRecords on the first page and on one in the middle. */
export async function reads(
  account: BenchAccount,
  { runs, size }: { readonly runs: number; readonly size: number }
): Promise<Found> {
  const { client } = account
  const rkey = rkeyOf(await account.createRecord(client))
  const one = await sequential(runs, () => account.getRecord(client, rkey))
  const first = await sequential(runs, () => account.listRecords(client))
  let cursor: string | undefined
  for (let page = 0; page < Math.min(200, size / 200); page++) {
    cursor = JSON.parse((await account.listRecords(client, cursor)).body.toString()).cursor
    if (cursor === undefined) break
  }
  const deep = await sequential(runs, () => account.listRecords(client, cursor))
  return { getRecord: median(one), listFirst: median(first), listDeep: median(deep) }
}

/** The writers' latency without an export, in ms, for comparison. */
const alone = 3000

/** getRepo: its speed, the increase of workerd's memory, and the same while four clients write. */
export async function exports(
  account: BenchAccount,
  { pid, times }: { readonly pid: number; readonly times: number }
): Promise<Found> {
  const { client } = account
  const rates: Array<number> = []
  const { result: bytes, grown } = await growth(pid, async () => {
    let size = 0
    for (let i = 0; i < times; i++) {
      const start = performance.now()
      size = (await account.getRepo(client, { discard: true })).bytes
      rates.push(size / 1e6 / ((performance.now() - start) / 1000))
    }
    return size
  })

  const writers = await Promise.all(Array.from({ length: 4 }, account.connect))
  const end = new AbortController()
  const during: Array<number> = []
  const load = writers.map(async (writer) => {
    while (!end.signal.aborted) {
      const start = performance.now()
      await account.createRecord(writer)
      during.push(performance.now() - start)
    }
  })
  await pause(200)
  during.length = 0
  await pause(alone)
  const before = during.splice(0)
  const start = performance.now()
  const car = await account.getRepo(client).catch((cause: unknown) => new Error(String(cause)))
  const busy = (performance.now() - start) / 1000
  end.abort()
  await Promise.all(load)
  for (const writer of writers) writer.close()
  return {
    repoSize: bytes / 1e6,
    getRepo: median(rates),
    getRepoMemory: grown,
    getRepoBusy: car instanceof Error ? "failed" : await completeness(car.body, account.did),
    getRepoBusySpeed: car instanceof Error ? Number.NaN : car.bytes / 1e6 / busy,
    writersAloneP50: median(before),
    writersAloneP99: percentile(before, 0.99),
    writersP50: median(during),
    writersP99: percentile(during, 0.99),
    writersMax: Math.max(0, ...during)
  }
}

/** Reads a CAR as an independent implementation does: every block from the root on must exist. */
async function completeness(car: Uint8Array, did: string): Promise<string> {
  const { readCarWithRoot, MemoryBlockstore, Repo } = await import("@atproto/repo")
  try {
    const { root, blocks } = await readCarWithRoot(car)
    const repo = await Repo.load(new MemoryBlockstore(blocks), root)
    if (repo.did !== did) return "wrong repo"
    await repo.getContents()
    return "complete"
  } catch (cause) {
    return `broken: ${cause instanceof Error ? cause.message.slice(0, 16) : cause}`
  }
}

/** uploadBlob of 1 MB and a raw R2 put of the same bytes, alternating. */
export async function blobs(
  account: BenchAccount,
  floor: Floor,
  { times }: { readonly times: number }
): Promise<Found> {
  const bytes = Buffer.alloc(1_000_000)
  const ours: Array<number> = []
  const raw: Array<number> = []
  for (let i = 0; i < times + 3; i++) {
    bytes.writeUInt32BE(Math.floor(Math.random() * 2 ** 32), 0)
    const start = performance.now()
    await account.uploadBlob(account.client, bytes)
    const middle = performance.now()
    await floor.blob(bytes)
    if (i < 3) continue
    ours.push(1 / ((middle - start) / 1000))
    raw.push(1 / ((performance.now() - middle) / 1000))
  }
  return { uploadBlob: median(ours), rawPut: median(raw), blobShare: median(ours) / median(raw) }
}

/**
 * The latency that 50 subscribers add to createRecord (alternating with none), and whether each
 * of them got each event.
 */
export async function broadcast(
  account: BenchAccount,
  url: string,
  { runs }: { readonly runs: number }
): Promise<Found> {
  let written = 0
  const write = async () => {
    written += 1
    await account.createRecord(account.client)
  }
  const alone: Array<number> = []
  const watched: Array<number> = []
  let seen = 0
  let frames = 0
  for (let turn = 0; turn < 4; turn++) {
    alone.push(...(await sequential(runs / 4, write)))
    const subscribers = await openSubscribers(url, 50)
    const before = written
    watched.push(...(await sequential(runs / 4, write)))
    await pause(1000)
    frames += await subscribers.close()
    seen += (written - before) * 50
    await pause(200)
  }
  return {
    alone: median(alone),
    broadcast: median(watched) - median(alone),
    broadcastFrames: frames / seen
  }
}

/** The whole log from cursor 0 to the newest event. */
export async function replays(
  account: BenchAccount,
  url: string,
  { times }: { readonly times: number }
): Promise<Found> {
  const last = await frameOf(url, () => account.createRecord(account.client))
  const rates: Array<number> = []
  const again = () => replay(url, 0, (frame) => frame.length === last.length && last.equals(frame))
  let result = await again()
  rates.push(result.frames / result.seconds)
  for (let i = 1; i < times; i++) {
    result = await again()
    rates.push(result.frames / result.seconds)
  }
  return {
    replay: median(rates),
    replayFrames: result.frames,
    replayMB: result.bytes / 1e6 / result.seconds,
    replayComplete: `${result.complete ? "to the head" : "stopped"}, connections: ${result.connections}`
  }
}

/** What `wake` finds. */
export const wakeRows = [
  ["wake", "evicted object + createRecord, ms", "≤ 5"],
  ["wakeCpu", "… CPU until the response, ms", ""],
  ["wakeFloor", "evicted bare object + commit, ms", ""],
  ["wakeFloorCpu", "… CPU until the response, ms", ""]
] as const

/**
 * createRecord after the object has been evicted (workerd does so after ten seconds without a
 * request), beside the commit of a bare object that was evicted too.
 */
export async function wake(
  account: BenchAccount,
  { workerd: pid }: Pick<BenchServer, "workerd">,
  floor: Floor,
  times: number
): Promise<Found> {
  const sides = [
    { pid, run: () => account.createRecord(account.client), milliseconds: [], cpu: [] },
    { pid: floor.pid, run: () => floor.once(), milliseconds: [], cpu: [] }
  ] satisfies ReadonlyArray<Woken>
  for (let i = 0; i < times; i++) {
    await pause(13_000)
    for (const side of i % 2 === 0 ? sides : sides.toReversed()) await measureWaking(side)
  }
  const [ours, bare] = sides.map(({ milliseconds, cpu }) => [median(milliseconds), median(cpu)])
  return { wake: ours?.[0], wakeCpu: ours?.[1], wakeFloor: bare?.[0], wakeFloorCpu: bare?.[1] }
}

interface Woken {
  readonly pid: number
  readonly run: () => Promise<unknown>
  readonly milliseconds: Array<number>
  readonly cpu: Array<number>
}

async function measureWaking({ pid, run, milliseconds, cpu }: Woken) {
  const before = cpuOf(pid)
  const start = performance.now()
  await run()
  milliseconds.push(performance.now() - start)
  cpu.push(cpuOf(pid) - before)
}
