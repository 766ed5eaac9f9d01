#!/usr/bin/env node
import { verifyRepoCar } from "@atproto/repo"
import { mkdirSync, writeFileSync } from "node:fs"
import { join } from "node:path"
import { DatabaseSync } from "node:sqlite"
import { parseArgs } from "node:util"
import { type BenchServer, startServer, temporaryFolder } from "../../bench/server.ts"
import { startStore, type Store } from "../../bench/store.ts"
import { newSecret } from "../../scripts/env.ts"
import { freePort } from "../../scripts/server.ts"
import { bundledCommand } from "../support/server/bundledCommand.ts"
import { type Random, seeded } from "./random.ts"

const help = `npm run soak:backups -- [--kills 20] [--seed n] [--accounts 8]

Kills a server on Node (SIGKILL) once in each step of a backup, and of a restore onto an empty folder, while the
step waits for the backup store; then at random points of a backup and of a restore, --kills times each. Every
backup is then completed, verified and contains every acknowledged write; every restore is completed, and each
account has its records, its blobs and its password, with a rev above the backup's.`

const { values } = parseArgs({
  options: {
    kills: { type: "string", default: "20" },
    seed: { type: "string" },
    accounts: { type: "string", default: "8" },
    help: { type: "boolean", short: "h", default: false }
  }
})

/** An account, and what its backup must contain. */
interface Person {
  readonly did: string
  readonly handle: string
  readonly password: string
  readonly token: string
  /** CIDs of records by their paths. */
  readonly records: Map<string, string>
  /** Bytes of blobs by their CIDs. */
  readonly blobs: Map<string, Buffer>
  /** The rev of the last acknowledged write. */
  rev: string
}

/** A part of a run or of a restore, as the administrator's routes return it. */
interface Answer {
  readonly run: { readonly run: string; readonly outcome?: string; readonly faults?: unknown }
  readonly cursor?: string
  readonly restored: ReadonlyArray<{ readonly did: string; readonly kind: string }>
  readonly faults: ReadonlyArray<unknown>
  readonly after?: string
}

/** The requests to the store in the steps of a backup, in their order. */
const backupSteps = [
  /^PUT accounts\/.*\/blobs\//,
  /^PUT accounts\/.*\/repo\.car$/,
  /^GET accounts\/.*\/repo\.car$/,
  /^PUT accounts\/.*\/account\.json$/,
  /^PUT runs\/.*\/run\.json$/,
  /^GET accounts\/.*\/private\.sealed$/,
  /^DELETE accounts\//
]

/** The same of a restore. */
const restoreSteps = [
  /^GET runs\/.*\/host-\d+/,
  /^GET accounts\/.*\/blobs\//,
  /^GET accounts\/.*\/repo\.car$/
]

const pause = (milliseconds: number) => new Promise<void>((done) => setTimeout(done, milliseconds))

if (values.help) console.log(help)
else {
  const seed = Number(values.seed ?? Date.now() % 1_000_000)
  process.exit(await soak(Number(values.kills), seed))
}

async function soak(kills: number, seed: number): Promise<number> {
  console.log(`soak of backups: ${kills} kills each, seed ${seed}`)
  const random = seeded(seed)
  const { folder, remove } = temporaryFolder("soak-backups")
  const store = await startStore(join(folder, "store"))
  const port = await freePort()
  const { program, env: fast } = await bundledCommand()
  const secrets = {
    MASTER_KEY: newSecret("MASTER_KEY"),
    PLC_ROTATION_KEY: newSecret("PLC_ROTATION_KEY"),
    ADMIN_PASSWORD: newSecret("ADMIN_PASSWORD")
  }
  const lines = Object.entries(secrets).map(([name, value]) => `${name}=${value}\n`)
  const world = {
    random,
    store,
    admin: `Basic ${Buffer.from(`admin:${secrets.ADMIN_PASSWORD}`).toString("base64")}`,
    start: (name: string) => {
      const dataDir = join(folder, name)
      mkdirSync(dataDir, { recursive: true })
      writeFileSync(join(dataDir, "nacre.env"), lines.join(""))
      // Each backup replaces the one before, so each deletes something.
      const env = {
        HANDLE_DOMAINS: ".test",
        BACKUP_KEEP: "1,0,0",
        ...fast,
        ...store.env,
        ...secrets
      }
      return startServer({ dataDir, port, home: "box", program, args: ["serve"], env })
    },
    folderOf: (name: string) => join(folder, name)
  }
  const problems: Array<string> = []
  try {
    const people = await backups(world, kills, problems)
    if (problems.length === 0) await restores(world, kills, people, problems)
  } catch (cause) {
    problems.push(cause instanceof Error ? (cause.stack ?? cause.message) : String(cause))
  } finally {
    await store.stop()
    remove()
  }
  for (const problem of problems.slice(0, 20)) console.error(`✗ ${problem}`)
  console.log(
    problems.length === 0
      ? "soak of backups: nothing lost"
      : `soak of backups: failed (--seed ${seed})`
  )
  return problems.length === 0 ? 0 : 1
}

interface World {
  readonly random: Random
  readonly store: Store
  readonly admin: string
  start(name: string): Promise<BenchServer>
  folderOf(name: string): string
}

/** Kills the server once in each step of an act; returns the server that is started after the last kill. */
async function killInSteps(
  store: Store,
  running: BenchServer,
  steps: ReadonlyArray<RegExp>,
  act: (server: BenchServer) => Promise<unknown>,
  restart: () => Promise<BenchServer>
): Promise<BenchServer> {
  let server = running
  for (const step of steps) {
    const held = store.hold(step)
    const acting = act(server).then(
      () => true,
      () => true
    )
    const hasEnded = await Promise.race([held.then(() => false), acting])
    await server.kill()
    await acting
    if (hasEnded) throw new Error(`no request ${step} came`)
    server = await restart()
  }
  return server
}

/** Kills the server in backups; returns the accounts as the last backup must have them. */
async function backups(
  { random, store, admin, start, folderOf }: World,
  kills: number,
  problems: Array<string>
): Promise<ReadonlyArray<Person>> {
  const name = "first"
  let server = await start(name)
  try {
    // The nightly backup of a new server is due at once; one that ran beside the sign-ups would lack some.
    await backUp(server, admin)
    const people: Array<Person> = []
    for (let n = 0; n < Number(values.accounts); n++) people.push(await signUp(server, admin, n))
    let duration = 0
    const restart = () => {
      endLease(folderOf(name))
      return start(name)
    }
    for (let round = 0; round <= kills + 1 && problems.length === 0; round++) {
      for (const person of people) await write(server, person, random)
      const begun = performance.now()
      // The first backup isn't killed: it tells how long one takes. The second one is killed in each step.
      if (round === 1) {
        const act = (of: BenchServer) => backUp(of, admin)
        server = await killInSteps(store, server, backupSteps, act, restart)
      }
      if (round > 1) {
        const killed = backUp(server, admin).catch(() => undefined)
        await pause(random.between(0, duration))
        await server.kill()
        await killed
        server = await restart()
      }
      await backUp(server, admin)
      duration ||= Math.ceil(performance.now() - begun)
      const { faults, accounts } = await verify(server, admin)
      if (faults.length > 0) problems.push(`backup ${round}: ${JSON.stringify(faults)}`)
      if (accounts < people.length) problems.push(`backup ${round}: only ${accounts} accounts`)
      console.log(`backup ${round}: ${accounts} accounts verified`)
    }
    return people
  } finally {
    await server.kill()
  }
}

/** Kills the server in restores of the last backup onto an empty folder. */
async function restores(
  { random, store, admin, start }: World,
  kills: number,
  people: ReadonlyArray<Person>,
  problems: Array<string>
): Promise<void> {
  let duration = 0
  // The first one is killed in each step; the second one isn't, and tells how long a restore takes.
  const last = kills === 0 ? 0 : kills + 1
  for (let round = 0; round <= last && problems.length === 0; round++) {
    const name = `restored-${round}`
    let server = await start(name)
    try {
      if (round === 0) {
        const act = (of: BenchServer) => restore(of, admin)
        server = await killInSteps(store, server, restoreSteps, act, () => start(name))
      }
      const begun = performance.now()
      if (round > 1) {
        const killed = restore(server, admin).catch(() => undefined)
        await pause(random.between(0, duration))
        await server.kill()
        await killed
        server = await start(name)
      }
      const { faults } = await restore(server, admin)
      if (round === 1) duration = Math.ceil(performance.now() - begun)
      if (faults.length > 0) problems.push(`restore ${round}: ${JSON.stringify(faults)}`)
      for (const person of people) {
        const found = await compare(server, person)
        problems.push(...found.map((problem) => `restore ${round}: ${person.did}: ${problem}`))
      }
      console.log(`restore ${round}: ${people.length} accounts compared`)
    } finally {
      await server.kill()
    }
  }
}

/** Ends the lease that a killed process keeps for two minutes, as if they had passed. */
function endLease(folder: string): void {
  const database = new DatabaseSync(join(folder, "directory.sqlite"))
  try {
    database.exec("UPDATE backup_run SET lease_until = 0")
  } finally {
    database.close()
  }
}

async function call<A>(url: string, init: RequestInit): Promise<A> {
  const answer = await fetch(url, init)
  if (answer.status !== 200) throw new Error(`${url}: ${answer.status} ${await answer.text()}`)
  // SAFETY: our own server's responses.
  return (await answer.json()) as A
}

function post<A>(
  server: BenchServer,
  path: string,
  authorization: string,
  input?: object
): Promise<A> {
  const json = { "content-type": "application/json" }
  return call<A>(`${server.url}${path}`, {
    method: "POST",
    headers: { authorization, ...(input === undefined ? {} : json) },
    ...(input === undefined ? {} : { body: JSON.stringify(input) })
  })
}

async function signUp(server: BenchServer, admin: string, n: number): Promise<Person> {
  const handle = `person${n}.test`
  const did = `did:web:${handle}`
  const password = `a password of person ${n}`
  const input = { handle, did, password, email: `${n}@mail.example.com` }
  const path = "/xrpc/com.atproto.server.createAccount"
  const made = await post<{ readonly accessJwt: string }>(server, path, admin, input)
  const token = `Bearer ${made.accessJwt}`
  return { did, handle, password, token, records: new Map(), blobs: new Map(), rev: "" }
}

/** Writes some records and a blob, and notes those that the server acknowledged. */
async function write(server: BenchServer, person: Person, random: Random): Promise<void> {
  const bytes = random.bytes(random.between(1000, 60_000))
  const { blob } = await call<{ readonly blob: { readonly ref: { readonly $link: string } } }>(
    `${server.url}/xrpc/com.atproto.repo.uploadBlob`,
    {
      method: "POST",
      headers: { authorization: person.token, "content-type": "application/octet-stream" },
      body: new Uint8Array(bytes)
    }
  )
  person.blobs.set(blob.ref.$link, bytes)
  const collection = "com.example.thing"
  const things = Array.from({ length: random.between(1, 20) }, () => ({ at: random.next() }))
  const { commit, results } = await post<{
    readonly commit: { readonly rev: string }
    readonly results: ReadonlyArray<{ readonly uri: string; readonly cid: string }>
  }>(server, "/xrpc/com.atproto.repo.applyWrites", person.token, {
    repo: person.did,
    writes: [...things.map(({ at }) => ({ at: String(at) })), { blob }].map((fields) => ({
      $type: "com.atproto.repo.applyWrites#create",
      collection,
      value: { $type: collection, ...fields }
    }))
  })
  person.rev = commit.rev
  for (const { uri, cid } of results) {
    person.records.set(uri.split("/").slice(3).join("/"), cid)
  }
}

/** Makes a whole backup. */
async function backUp(server: BenchServer, admin: string): Promise<void> {
  let query = ""
  while (true) {
    const { run } = await post<Answer>(server, `/admin/backups${query}`, admin)
    if (run.outcome === "good") return
    if (run.outcome !== undefined) throw new Error(`the backup is ${JSON.stringify(run)}`)
    query = `?run=${run.run}`
  }
}

async function verify(server: BenchServer, admin: string) {
  const faults: Array<unknown> = []
  let accounts = 0
  let after = ""
  while (true) {
    const path = `/admin/backups/verify?after=${encodeURIComponent(after)}`
    const part = await post<Answer & { readonly accounts: number }>(server, path, admin)
    faults.push(...part.faults)
    accounts += part.accounts
    if (part.after === undefined) return { faults, accounts }
    after = part.after
  }
}

/** Restores a whole server. */
async function restore(server: BenchServer, admin: string) {
  const faults: Array<unknown> = []
  let cursor = ""
  while (true) {
    const path = `/admin/backups/restore-server?cursor=${encodeURIComponent(cursor)}`
    const part = await post<Answer>(server, path, admin)
    faults.push(...part.faults)
    if (part.cursor === undefined) return { faults }
    cursor = part.cursor
  }
}

/** What is wrong with a restored account. */
async function compare(server: BenchServer, person: Person): Promise<Array<string>> {
  const problems: Array<string> = []
  const { did, handle, password } = person
  const car = await fetch(`${server.url}/xrpc/com.atproto.sync.getRepo?did=${did}`)
  if (car.status !== 200) return [`getRepo: ${car.status} ${await car.text()}`]
  const { commit, creates } = await verifyRepoCar(new Uint8Array(await car.arrayBuffer()), did)
  if (commit.rev <= person.rev) problems.push(`rev ${commit.rev} is not above ${person.rev}`)
  const found = new Map(
    creates.map(({ collection, rkey, cid }) => [`${collection}/${rkey}`, cid.toString()])
  )
  for (const [path, cid] of person.records) {
    if (found.get(path) !== cid) problems.push(`${path} is missing`)
  }
  if (found.size !== person.records.size) problems.push(`${found.size} records`)
  for (const [cid, bytes] of person.blobs) {
    const served = await fetch(`${server.url}/xrpc/com.atproto.sync.getBlob?did=${did}&cid=${cid}`)
    if (!Buffer.from(await served.arrayBuffer()).equals(bytes)) problems.push(`blob ${cid}`)
  }
  const session = await fetch(`${server.url}/xrpc/com.atproto.server.createSession`, {
    method: "POST",
    headers: { "content-type": "application/json" },
    body: JSON.stringify({ identifier: handle, password })
  })
  await session.arrayBuffer()
  if (session.status !== 200) problems.push(`createSession: ${session.status}`)
  return problems
}
