#!/usr/bin/env node
import "../scripts/node22.mjs"
import { parseArgs } from "node:util"
import { openAccount } from "./account.mjs"
import { openFloor } from "./floor.mjs"
import { short, table } from "./measure.mjs"
import * as rows from "./rows.mjs"
import { startServer, temporaryFolder } from "./server.mjs"
import { build } from "../scripts/build.mjs"

const help = `npm run bench -- [options]: measures the server as it runs, in one workerd process.

  --sizes 0,1000,20000   repo sizes (default 0,1000,10000,20000,100000; quick: 0,1000)
  --quick                fewer runs
  --only a,b             of: writes, reads, export, blobs, broadcast, replay, wake, bundle
  --json                 the numbers as JSON
  --config <file>        another wrangler.toml
  --help

Nothing is asserted: the limits stand beside the numbers.`

const { values } = parseArgs({
  options: {
    sizes: { type: "string" },
    quick: { type: "boolean", default: false },
    only: { type: "string" },
    json: { type: "boolean", default: false },
    config: { type: "string" },
    help: { type: "boolean", short: "h", default: false }
  }
})

/** Rows of the table: key, label, limit. */
const perSize = [
  ["records", "records in the repo", ""],
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
  ["writersP50", "those writers' p50, ms", "not stalled"],
  ["writersMax", "those writers' slowest, ms", "not stalled"],
  ["getRecord", "getRecord p50, ms", "≤ 0.5"],
  ["listFirst", "listRecords(100) p50, newest page, ms", "≤ 1"],
  ["listDeep", "listRecords(100) p50, deep page, ms", "≤ 1"],
  ["broadcast", "event to 50 subscribers: added, ms", "≤ 0.2"],
  ["broadcastFrames", "… part of the frames received", "1"],
  ["wake", "evicted object + createRecord, ms", "≤ 5"]
]
const once = [
  ["uploadBlob", "uploadBlob 1 MB, MB/s", ""],
  ["rawPut", "raw R2 put of the same, MB/s", ""],
  ["blobShare", "… uploadBlob / raw put", "≥ 0.9"],
  ["replay", "replay from cursor 0, frames/s", "≥ 30,000"],
  ["replayFrames", "… frames", ""],
  ["replayMB", "… MB/s", ""],
  ["replayComplete", "…", "to the head"],
  ["bundle", "bundle, minified, gzip, KiB", "≤ 250"],
  ["idle", "workerd at rest after all, MiB", ""]
]

if (values.help) {
  console.log(help)
} else {
  try {
    await main()
  } catch (cause) {
    console.error(cause)
    process.exitCode = 1
  }
}

async function main() {
  const { quick } = values
  const parts = values.only?.split(",")
  const wanted = (part) => parts === undefined || parts.includes(part)
  const sizes = (values.sizes ?? (quick ? "0,1000" : "0,1000,10000,20000,100000"))
    .split(",")
    .map(Number)
    .toSorted((a, b) => a - b)
  const runs = quick ? 100 : 400
  const milliseconds = quick ? 1000 : 4000
  const say = (text) => process.stderr.write(`${text}\n`)

  say("floor of this machine …")
  const floor = await openFloor()
  const { folder, remove } = temporaryFolder("bench")
  let server
  try {
    const floorRows = await floor.rows(runs, milliseconds)
    server = await startServer({
      dataDir: folder,
      config: values.config,
      env: { DEBUG_ROWS: "on" }
    })
    const account = await openAccount(server)
    const bySize = []
    let records = 0
    const add = (found) => {
      records += found.added ?? 0
      return found
    }
    for (const size of sizes) {
      say(`repo of ${size} records …`)
      const filled = await rows.fill(account, records, size)
      records = filled.records
      const found = { ...filled }
      if (wanted("writes"))
        Object.assign(found, add(await rows.writes(account, { runs, milliseconds })))
      if (wanted("reads")) Object.assign(found, await rows.reads(account, { runs, size: records }))
      if (wanted("export")) {
        const times = quick ? 3 : 5
        Object.assign(found, add(await rows.exports(account, { pid: server.workerd, times })))
      }
      if (wanted("broadcast")) {
        Object.assign(found, add(await rows.broadcast(account, server.url, { runs })))
      }
      if (wanted("wake"))
        Object.assign(found, add(await rows.wake(account, { times: quick ? 1 : 3 })))
      bySize.push({ ...found, size, records })
    }
    const total = {}
    if (wanted("blobs")) {
      say("blobs …")
      Object.assign(total, await rows.blobs(account, floor, { times: quick ? 20 : 60 }))
    }
    if (wanted("replay")) {
      say("replay …")
      Object.assign(total, await rows.replays(account, server.url, { times: quick ? 1 : 3 }))
    }
    if (wanted("bundle")) total.bundle = (await build({ minify: true })).gzip / 1024
    const { memoryOf } = await import("./server.mjs")
    total.idle = memoryOf(server.workerd)
    account.client.close()
    if (values.json)
      console.log(JSON.stringify({ floor: floorRows, sizes: bySize, total }, null, 2))
    else print(floorRows, bySize, total)
  } finally {
    await server?.stop()
    await floor.close()
    remove()
  }
}

function print(floorRows, bySize, total) {
  const present = ([key]) => bySize.some((one) => one[key] !== undefined)
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
        .map(([key, label, limit]) => [label, ...bySize.map((one) => short(one[key])), limit])
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
