#!/usr/bin/env node
import { randomBytes } from "node:crypto"
import { join } from "node:path"
import { loadavg } from "node:os"
import { parseArgs } from "node:util"
import { newSecret } from "../scripts/env.ts"
import { freePort } from "../scripts/server.ts"
import { type BenchAccount, openAccount } from "./account.ts"
import { percentile, short, table } from "./measure.ts"
import { type BenchServer, homes, startServer, temporaryFolder } from "./server.ts"
import { startStore, type Store } from "./store.ts"

const help = `node bench/backup.ts [options]: measures backups and restores of a whole server, and a write beside them.

  --only one,many      one: 1 account with 20,000 records and 1 GB of blobs; many: 200 accounts
  --small              a hundredth of it, to try the script
  --home box           a server on Node with files instead of workerd
  --help

It keeps up to 4 GB in the folder for temporary files until it ends.`

const { values } = parseArgs({
  options: {
    only: { type: "string", default: "one,many" },
    small: { type: "boolean", default: false },
    home: { type: "string", default: "workerd" },
    help: { type: "boolean", short: "h", default: false }
  }
})

/** What a scenario's server holds. */
interface Scenario {
  readonly name: string
  readonly accounts: number
  /** Of each account; of those, `blobs` have a picture. */
  readonly records: number
  readonly blobs: number
  /** In bytes. */
  readonly blobSize: number
}

const part = values.small ? 0.01 : 1
const scaled = (count: number) => Math.ceil(count * part)
const scenarios: ReadonlyArray<Scenario> = [
  {
    name: "one",
    accounts: 1,
    records: scaled(20_000),
    blobs: scaled(1000),
    blobSize: 1_000_000
  },
  { name: "many", accounts: scaled(200), records: 100, blobs: 1, blobSize: 100_000 }
]

/** Cloudflare's prices in dollars, as docs/operate/costs-and-limits.md has them. */
const prices = {
  classA: 4.5 / 1e6,
  classB: 0.36 / 1e6,
  worker: 0.3 / 1e6,
  object: 0.15 / 1e6,
  rows: 1 / 1e6
}

/** What one act took. */
interface Measured {
  readonly seconds: number
  readonly worker: number
  readonly classA: number
  readonly classB: number
  readonly megabytes: number
  /** Rows that the objects wrote; NaN on Node. */
  readonly rows: number
}

const home = homes.find((one) => one === values.home) ?? "workerd"

if (values.help) console.log(help)
else {
  console.log(`load ${loadavg()[0]?.toFixed(1)}, ${home}`)
  for (const scenario of scenarios) {
    if (values.only.split(",").includes(scenario.name)) await measure(scenario)
  }
}

async function measure(scenario: Scenario): Promise<void> {
  const { folder, remove } = temporaryFolder("backup")
  const store = await startStore(join(folder, "store"))
  const secrets = {
    MASTER_KEY: newSecret("MASTER_KEY"),
    PLC_ROTATION_KEY: newSecret("PLC_ROTATION_KEY"),
    ADMIN_PASSWORD: newSecret("ADMIN_PASSWORD")
  }
  const port = await freePort()
  const start = (name: string) =>
    startServer({
      dataDir: join(folder, name),
      port,
      home,
      env: { ...secrets, ...store.env, DEBUG_ROWS: "on" }
    })
  let server = await start("first")
  try {
    const people = await fill(server, scenario)
    const first = people[0]!
    const admin = adminOf(secrets.ADMIN_PASSWORD)
    const alone = await writing(first, () => pause(3000))
    const rows: Array<readonly [string, Measured]> = []
    rows.push(["first backup", await watched(server, store, () => backUp(server, admin))])
    store.clear()
    const beside = await writing(first, async () => void (await backUp(server, admin)))
    // The writes beside the first one have changed the account.
    await backUp(server, admin)
    rows.push(["unchanged", await watched(server, store, () => backUp(server, admin))])
    await first.applyWrites(first.client, 20)
    rows.push(["after 20 posts", await watched(server, store, () => backUp(server, admin))])
    for (const { client } of people) client.close()
    await server.stop()
    server = await start("second")
    rows.push(["restore", await watched(server, store, () => restore(server, admin, scenario))])
    print(scenario, rows)
    const shown = (samples: ReadonlyArray<number>) =>
      `p50 ${short(percentile(samples, 0.5))} ms, p99 ${short(percentile(samples, 0.99))} ms, ${samples.length} writes`
    console.log(`a write alone: ${shown(alone)}\na write beside the first backup: ${shown(beside)}`)
    console.log(`load ${loadavg()[0]?.toFixed(1)}\n`)
  } finally {
    await server.stop()
    await store.stop()
    remove()
  }
}

function pause(milliseconds: number): Promise<void> {
  return new Promise((done) => setTimeout(done, milliseconds))
}

function adminOf(password: string): string {
  return `Basic ${Buffer.from(`admin:${password}`).toString("base64")}`
}

/** Signs up the accounts and writes their records and pictures. */
async function fill(server: BenchServer, scenario: Scenario): Promise<Array<BenchAccount>> {
  const people: Array<BenchAccount> = []
  for (let n = 0; n < scenario.accounts; n++) {
    const handle = `person${n}.test`
    const did = `did:web:${handle}`
    const password = `a password of person ${n}`
    const made = await fetch(`${server.url}/xrpc/com.atproto.server.createAccount`, {
      method: "POST",
      headers: {
        "content-type": "application/json",
        authorization: adminOf(server.account.adminPassword)
      },
      body: JSON.stringify({ handle, did, password, email: `${n}@mail.example.com` })
    })
    if (made.status !== 200) throw new Error(`createAccount: ${made.status} ${await made.text()}`)
    const account = { ...server.account, did, handle, password }
    const person = await openAccount({ url: server.url, account })
    people.push(person)
    for (let blobs = 0; blobs < scenario.blobs; blobs++) await postPicture(person, scenario)
    for (let left = scenario.records - scenario.blobs; left > 0; left -= 200) {
      await person.applyWrites(person.client, Math.min(200, left))
    }
  }
  return people
}

async function postPicture(person: BenchAccount, { blobSize }: Scenario): Promise<void> {
  const uploaded = await person.uploadBlob(person.client, randomBytes(blobSize))
  const { blob } = JSON.parse(uploaded.body.toString())
  const answer = await person.client.request("POST", "/xrpc/com.atproto.repo.createRecord", {
    headers: { ...person.authorization, "Content-Type": "application/json" },
    body: JSON.stringify({
      repo: person.did,
      collection: "com.example.picture",
      record: { $type: "com.example.picture", blob }
    })
  })
  if (answer.status !== 200) throw new Error(`createRecord: ${answer.status} ${answer.body}`)
}

/** Writes records one after another while `body` runs; returns the milliseconds of each. */
async function writing(person: BenchAccount, body: () => Promise<void>): Promise<Array<number>> {
  const client = await person.connect()
  const samples: Array<number> = []
  const end = new AbortController()
  const writer = (async () => {
    while (!end.signal.aborted) {
      const start = performance.now()
      await person.createRecord(client)
      samples.push(performance.now() - start)
      await pause(5)
    }
  })()
  try {
    await body()
  } finally {
    end.abort()
    await writer
    client.close()
  }
  return samples
}

/** The rows written so far by all objects. */
async function rowsSoFar(server: BenchServer): Promise<number> {
  await pause(300)
  const { headers } = await fetch(`${server.url}/robots.txt`)
  const rows = headers.get("x-rows-written")
  return rows === null ? Number.NaN : Number(rows)
}

async function watched(
  server: BenchServer,
  store: Store,
  act: () => Promise<number>
): Promise<Measured> {
  const before = store.counts()
  const rowsBefore = await rowsSoFar(server)
  const start = performance.now()
  const worker = await act()
  const seconds = (performance.now() - start) / 1000
  const after = store.counts()
  return {
    seconds,
    worker,
    classA: after.classA - before.classA,
    classB: after.classB - before.classB,
    megabytes: (after.bytesIn + after.bytesOut - before.bytesIn - before.bytesOut) / 1e6,
    rows: (await rowsSoFar(server)) - rowsBefore
  }
}

async function ask(server: BenchServer, admin: string, path: string) {
  const answer = await fetch(`${server.url}/admin/backups${path}`, {
    method: "POST",
    headers: { authorization: admin }
  })
  if (answer.status !== 200) throw new Error(`${path}: ${answer.status} ${await answer.text()}`)
  // SAFETY: our own routes.
  return (await answer.json()) as {
    readonly run: { readonly run: string; readonly outcome?: string }
    readonly cursor?: string
    readonly restored: ReadonlyArray<{ readonly kind: string }>
    readonly faults: ReadonlyArray<unknown>
  }
}

/** Makes a whole backup; returns the number of requests. */
async function backUp(server: BenchServer, admin: string): Promise<number> {
  let query = ""
  for (let requests = 1; ; requests++) {
    const { run } = await ask(server, admin, query)
    if (run.outcome === "good") return requests
    if (run.outcome !== undefined) throw new Error(`the backup is ${JSON.stringify(run)}`)
    query = `?run=${run.run}`
  }
}

/** Restores a whole server; returns the number of requests. */
async function restore(server: BenchServer, admin: string, scenario: Scenario): Promise<number> {
  let cursor = ""
  let created = 0
  for (let requests = 1; ; requests++) {
    const answer = await ask(server, admin, `/restore-server?cursor=${cursor}`)
    if (answer.faults.length > 0) throw new Error(JSON.stringify(answer.faults))
    created += answer.restored.filter(({ kind }) => kind === "created").length
    if (answer.cursor !== undefined) {
      cursor = answer.cursor
      continue
    }
    if (created !== scenario.accounts) throw new Error(`${created} accounts restored`)
    return requests
  }
}

function print(scenario: Scenario, rows: ReadonlyArray<readonly [string, Measured]>): void {
  const { accounts, records, blobs, blobSize } = scenario
  console.log(
    `${accounts} accounts, each ${records} records and ${blobs} blobs of ${blobSize / 1e6} MB`
  )
  const heads = ["", "seconds", "MB", "requests", "store writes", "store reads", "rows", "dollars"]
  const cells = rows.map(([name, one]) => [
    name,
    short(one.seconds),
    short(one.megabytes),
    String(one.worker),
    String(one.classA),
    String(one.classB),
    short(one.rows),
    (
      one.classA * prices.classA +
      one.classB * prices.classB +
      one.worker * prices.worker +
      (Number.isNaN(one.rows) ? 0 : one.rows * prices.rows)
    ).toFixed(4)
  ])
  console.log(table([heads, ...cells]))
}
