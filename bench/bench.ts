#!/usr/bin/env node
import { parseArgs } from "node:util"
import { type BenchAccount, openAccount } from "./account.ts"
import { against } from "./against.ts"
import { crowd } from "./crowd.ts"
import { type Floor, openFloor } from "./floor.ts"
import { type Found, short, table } from "./measure.ts"
import { openUpstream, proxy } from "./proxy.ts"
import * as rows from "./rows.ts"
import { type BenchServer, memoryOf, startServer, temporaryFolder } from "./server.ts"
import { audiences, streamRows } from "./stream.ts"
import { build } from "../scripts/build.ts"

const help = `npm run bench -- [options]: measures the server as it runs, in one workerd process.

  --sizes 0,1000,20000   repo sizes (default 0,1000,10000,20000,200000; quick: 0,1000)
  --quick                fewer runs
  --only a,b             of: writes, reads, export, import, blobs, broadcast, subscribers, replay, wake,
                         crowd, proxy, bundle
  --against <other>      compares this tree in turns with a commit, or with cirrus:<folder>, a build of
                         Cirrus by wrangler deploy --dry-run --minify --outdir <folder>: CPU a request
                         and requests a second; --only names methods, the first of --sizes the records
  --rounds 24            turns of each in a comparison; a quarter of them with subscribers
  --clients 8            clients of each in a comparison
  --json                 the numbers as JSON
  --config <file>        another wrangler.toml
  --help

Nothing is asserted: the limits stand beside the numbers.`

const { values } = parseArgs({
  options: {
    sizes: { type: "string" },
    quick: { type: "boolean", default: false },
    only: { type: "string" },
    against: { type: "string" },
    rounds: { type: "string", default: "24" },
    clients: { type: "string", default: "8" },
    json: { type: "boolean", default: false },
    config: { type: "string" },
    help: { type: "boolean", short: "h", default: false }
  }
})

type Row = readonly [key: string, label: string, limit: string]

const perSize: ReadonlyArray<Row> = [
  ["floor", "3-row commit just before, p50, ms", ""],
  ["floor8", "3-row commit just before, 8 clients, /s", ""],
  ["createRecord", "createRecord p50, ms", "≤ 1.2"],
  ["createRecordP99", "createRecord p99, ms", ""],
  ["createRecord8", "createRecord, 8 clients, /s", "≥ 1,000"],
  ["rowsPerPost", "rows written per post", "≤ 12"],
  ["fill", "applyWrites × 200, records/s", "≥ 8,000"],
  ["fillRows", "rows written per record of a batch", "≤ 1.1"],
  ["repoSize", "size of the CAR, MB", ""],
  ["getRepo", "getRepo, MB/s", "≥ 80"],
  ["getRepoMemory", "getRepo: memory above idle, MiB", "≤ 64"],
  ["getRepoBusy", "getRepo while 4 clients write", "complete"],
  ["getRepoBusySpeed", "getRepo while 4 clients write, MB/s", ""],
  ["writersAloneP50", "4 clients that write without an export: p50, ms", ""],
  ["writersAloneP99", "… p99, ms", ""],
  ["writersP50", "those beside an export: p50, ms", "not stalled"],
  ["writersP99", "… p99, ms", "≤ 20"],
  ["writersMax", "… slowest, ms", "not stalled"],
  ["import", "importRepo of the same, s", ""],
  ["importMemory", "importRepo: memory above idle, MiB", "≤ 64"],
  ["importRows", "rows written per imported record", "≤ 1.1"],
  ["getRecord", "getRecord p50, ms", "≤ 0.5"],
  ["listFirst", "listRecords(100) p50, newest page, ms", "≤ 1"],
  ["listDeep", "listRecords(100) p50, deep page, ms", "≤ 1"],
  ["alone", "createRecord p50 without subscribers, ms", ""],
  ["broadcast", "event to 50 subscribers: added, ms", "≤ 0.2"],
  ["broadcastFrames", "… part of the frames received", "1"],
  ...rows.wakeRows,
  ["idle", "workerd at the start, MiB", ""],
  ["memory", "workerd at the end, MiB", ""]
]
const once: ReadonlyArray<Row> = [
  ["uploadBlob", "uploadBlob 1 MB, MB/s", ""],
  ["rawPut", "raw R2 put of the same, MB/s", ""],
  ["blobShare", "… uploadBlob / raw put", "≥ 0.9"],
  ["replay", "replay from cursor 0, frames/s", "≥ 30,000"],
  ["replayFrames", "… frames", ""],
  ["replayMB", "… MB/s", ""],
  ["replayComplete", "…", "to the head"],
  ...streamRows,
  ["crowd", "50 accounts that write at once, posts/s", "≥ 700"],
  ["crowdP50", "… p50, ms", ""],
  ["crowdP99", "… p99, ms", ""],
  ["crowdCpu", "… CPU of a post, ms", ""],
  ["upstream", "upstream asked directly p50, ms", ""],
  ["proxied", "… through the proxy p50, ms", ""],
  ["proxyAdded", "… added by the proxy, ms", ""],
  ["proxyFloor", "… added by a bare Worker, object and fetch, ms", ""],
  ["timelineAdded", "… added to a timeline that is up to date, ms", ""],
  ["upstream32", "upstream asked directly, 32 clients, /s", ""],
  ["proxied32", "… through the proxy, 32 clients, /s", ""],
  ["proxyFloor32", "… through the bare Worker, 32 clients, /s", ""],
  ["proxyShare32", "… proxy / bare Worker", ""],
  ["bundle", "bundle, minified, gzip, KiB", "≤ 250"]
]

/** What was found for a repo of a size. */
interface Sized {
  readonly size: number
  readonly found: Found
}

if (values.help) {
  console.log(help)
} else {
  try {
    if (values.against === undefined) await main()
    else await compare(values.against)
  } catch (cause) {
    console.error(cause)
    process.exit(1) // It may have left threads and sockets.
  }
}

async function compare(other: string) {
  await against({
    other,
    only: values.only?.split(","),
    rounds: Number(values.rounds),
    size: Number(values.sizes?.split(",", 1)[0] ?? 1000),
    milliseconds: values.quick ? 120 : 240,
    clients: Number(values.clients),
    say: (text) => process.stderr.write(`${text}\n`)
  })
}

async function main() {
  const { quick } = values
  const parts = values.only?.split(",")
  const wanted = (part: string) => parts === undefined || parts.includes(part)
  const sizes = (values.sizes ?? (quick ? "0,1000" : "0,1000,10000,20000,200000"))
    .split(",")
    .map(Number)
    .toSorted((a, b) => a - b)
  const runs = quick ? 100 : 400
  const milliseconds = quick ? 1000 : 4000
  const say = (text: string) => process.stderr.write(`${text}\n`)

  say("floor of this machine …")
  const floor = await openFloor()
  try {
    const floorRows = await floor.rows(runs, milliseconds)
    const bySize: Array<Sized> = []
    for (const size of sizes) {
      say(`repo of ${size} records …`)
      bySize.push(await withServer((server, account) => ofSize(server, account, size, floor)))
    }
    const total = await withServer((server, account) => ofOnce(server, account, floor))
    if (wanted("proxy")) Object.assign(total, await ofProxy())
    if (wanted("bundle")) total["bundle"] = (await build({ minify: true })).gzip / 1024
    if (values.json)
      console.log(
        JSON.stringify(
          {
            floor: floorRows,
            sizes: bySize.map(({ size, found }) => ({ size, ...found })),
            total
          },
          null,
          2
        )
      )
    else print(floorRows, bySize, total)
  } finally {
    await floor.close()
  }

  /** Runs the body against its own server with an empty folder. */
  async function withServer<A>(
    body: (server: BenchServer, account: BenchAccount) => Promise<A>,
    env: Readonly<Record<string, string>> = {}
  ): Promise<A> {
    const { folder, remove } = temporaryFolder("bench")
    const server = await startServer({
      dataDir: folder,
      config: values.config,
      env: { DEBUG_ROWS: "on", ...env }
    })
    try {
      const account = await openAccount(server)
      const found = await body(server, account)
      account.client.close()
      return found
    } finally {
      await server.stop()
      remove()
    }
  }

  async function ofSize(
    server: BenchServer,
    account: BenchAccount,
    size: number,
    raw: Floor
  ): Promise<Sized> {
    const idle = memoryOf(server.workerd)
    const found: Found = { idle, ...(await rows.fill(account, size)) }
    if (wanted("reads") && size > 0) Object.assign(found, await rows.reads(account, { runs, size }))
    if (wanted("export")) {
      Object.assign(
        found,
        await rows.exports(account, { pid: server.workerd, times: quick ? 3 : 5 })
      )
    }
    if (wanted("import") && size > 0) {
      Object.assign(found, await rows.imports(account, { pid: server.workerd, size }))
    }
    if (wanted("writes")) {
      const { p50, rate } = await raw.commit(runs, milliseconds / 2)
      Object.assign(found, { floor: p50, floor8: rate })
      Object.assign(found, await rows.writes(account, { runs, milliseconds }))
    }
    if (wanted("broadcast"))
      Object.assign(found, await rows.broadcast(account, server.url, { runs }))
    if (wanted("wake")) Object.assign(found, await rows.wake(account, server, raw, quick ? 1 : 3))
    found["memory"] = memoryOf(server.workerd)
    return { size, found }
  }

  async function ofProxy() {
    say("proxy …")
    const upstream = await openUpstream()
    try {
      return await withServer(
        (_, account) => proxy(account, upstream, { runs, milliseconds }),
        upstream.env
      )
    } finally {
      upstream.close()
    }
  }

  async function ofOnce(server: BenchServer, account: BenchAccount, raw: Floor): Promise<Found> {
    const found: Found = {}
    if (wanted("blobs")) {
      say("blobs …")
      Object.assign(found, await rows.blobs(account, raw, { times: quick ? 20 : 60 }))
    }
    if (wanted("subscribers")) {
      say("subscribers …")
      Object.assign(found, await audiences({ server, account, floor: raw }, quick ? 2 : 6))
    }
    if (wanted("crowd")) {
      say("50 accounts …")
      Object.assign(found, await crowd(server, account.client, milliseconds))
    }
    if (wanted("replay")) {
      say("replay …")
      await rows.writes(account, { runs: 1, milliseconds: milliseconds * 2 })
      Object.assign(found, await rows.replays(account, server.url, { times: quick ? 1 : 3 }))
    }
    return found
  }
}

function print(
  floorRows: Awaited<ReturnType<Floor["rows"]>>,
  bySize: ReadonlyArray<Sized>,
  total: Found
): void {
  const present = ([key]: Row) => bySize.some(({ found }) => found[key] !== undefined)
  console.log(
    `\n${table([
      ["the machine's floor", "p50, ms", "8 clients, /s"],
      ...floorRows.map(({ name, p50, rate }) => [name, short(p50), short(rate)])
    ])}\n`
  )
  console.log(
    `${table([
      ["repo size", ...bySize.map(({ size }) => size.toLocaleString("en")), "limit"],
      ...perSize
        .filter(present)
        .map(([key, label, limit]) => [
          label,
          ...bySize.map(({ found }) => short(found[key])),
          limit
        ])
    ])}\n`
  )
  const single = once.filter(([key]) => total[key] !== undefined)
  if (single.length > 0) {
    console.log(
      table([
        ["once", "", "limit"],
        ...single.map(([key, label, limit]) => [label, short(total[key]), limit])
      ])
    )
  }
}
