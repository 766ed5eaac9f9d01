#!/usr/bin/env node
import { verifyRepoCar } from "@atproto/repo"
import { parseArgs } from "node:util"
import { type BenchServer, homes, startServer, temporaryFolder } from "../../bench/server.ts"
import { freePort } from "../../scripts/server.ts"
import { type Consumer, openConsumer } from "./consumer.ts"
import { openNeighbours } from "./neighbours.ts"
import { powerCutOver } from "./powerCut.ts"
import { seeded } from "./random.ts"
import { judge, type Ledger, openLedger, write } from "./writer.ts"

const help = `npm run soak -- [--kills 100] [--seed n] [--home box] [--power-cut] [--config wrangler.toml]

Kills the whole server (SIGKILL) at random points while it is written to, and starts it again. Afterwards:
every acknowledged write is there and every other one happened whole or not at all; getRepo verifies;
acknowledged blobs are served; a consumer that resumes from its cursor has seen every commit once, in order,
with an unbroken chain; seq never goes back; a frame of other accounts keeps its seq. --home box kills a server on Node with files (nacre serve).
--power-cut also takes from its folder whatever it had not synced, as when the power fails.`

const { values } = parseArgs({
  options: {
    kills: { type: "string", default: "10" },
    seed: { type: "string" },
    config: { type: "string" },
    home: { type: "string", default: "workerd" },
    "power-cut": { type: "boolean", default: false },
    help: { type: "boolean", short: "h", default: false }
  }
})
const homeOf = (text: string) => {
  const home = homes.find((one) => one === text)
  if (home === undefined) throw new Error(`--home must be one of ${homes.join(", ")}`)
  return home
}
const home = homeOf(values.home)
if (values["power-cut"] && home !== "box") throw new Error("--power-cut needs --home box")
const pause = (milliseconds: number) => new Promise<void>((done) => setTimeout(done, milliseconds))

if (values.help) console.log(help)
else process.exit(await soak(Number(values.kills), Number(values.seed ?? Date.now() % 1_000_000)))

async function soak(kills: number, seed: number): Promise<number> {
  console.log(`soak: ${kills} kills, seed ${seed}`)
  const random = seeded(seed)
  const { folder, remove } = temporaryFolder("soak")
  const port = await freePort()
  const power = values["power-cut"] ? powerCutOver(folder) : undefined
  const env = power?.env ?? {}
  const start = () => startServer({ dataDir: folder, port, config: values.config, home, env })
  const ledger = openLedger()
  const problems: Array<string> = []
  let server = await start()
  try {
    const { did, password } = server.account
    const token = await signIn(server.url, did, password)
    const neighbours = await openNeighbours(server, 6)
    const others = neighbours.dids
    const signingKey = await signingKeyOf(server.publicUrl)
    const consumer = openConsumer({ did, signingKey, others })
    await consumer.connect(server.url)
    for (let round = 1; round <= kills && problems.length === 0; round++) {
      const until = { done: false }
      const writers = [0, 1, 2].map((writer) =>
        write({ url: server.url, did, token, ledger, random: random.fork(), writer, until })
      )
      const living = neighbours.live(server.url, until)
      const least = ledger.acknowledged + random.between(0, 30)
      await pause(random.between(0, 700))
      // A busy machine writes little in that time, and a kill between two writes shows nothing.
      for (let waited = 0; ledger.acknowledged < least && waited < 5000; waited += 10) {
        await pause(10)
      }
      await server.kill()
      until.done = true
      for (const refused of await Promise.all(writers)) {
        if (refused !== undefined) problems.push(refused.message)
      }
      await living
      if (problems.length > 0) problems.push(server.output())
      await consumer.close()
      power?.cut()
      server = await start()
      await consumer.connect(server.url)
      // Sometimes no request reaches the account: its alarm alone must deliver the rest.
      const untouched = random.next() < 0.25
      // The outbox arms it 2 s ahead.
      if (untouched) await pause(4000)
      const found = await verify({ server, did, ledger, consumer, untouched })
      problems.push(...found.problems, ...(await neighbours.verify(server.url)))
      console.log(
        `${round}: ${ledger.acknowledged} writes acknowledged, ${ledger.records.size} records, ` +
          `${consumer.revs.size} commits seen, seq ${consumer.seq()}, ` +
          (untouched ? "by alarm" : `caught up in ${Math.round(found.caughtUp)} ms`)
      )
    }
    await consumer.close()
  } catch (cause) {
    problems.push(cause instanceof Error ? (cause.stack ?? cause.message) : String(cause))
    problems.push(server.output())
  } finally {
    await server.stop()
    remove()
    power?.remove()
  }
  for (const problem of problems.slice(0, 20)) console.error(`✗ ${problem}`)
  console.log(problems.length === 0 ? "soak: nothing lost" : `soak: failed (--seed ${seed})`)
  return problems.length === 0 ? 0 : 1
}

/** What is compared after a kill. */
interface Verified {
  readonly server: BenchServer
  readonly did: string
  readonly ledger: Ledger
  readonly consumer: Consumer
  readonly untouched: boolean
}

/** Compares the ledger, the repo and the consumer; returns the differences and how long the firehose took. */
async function verify({ server, did, ledger, consumer, untouched }: Verified) {
  const problems: Array<string> = []
  const asking = `com.atproto.sync.getLatestCommit?did=${encodeURIComponent(did)}`
  const latest: { readonly rev: string } = JSON.parse((await get(server.url, asking)).toString())
  await consumer.settle()
  if (untouched && consumer.last()?.rev !== latest.rev) {
    problems.push(
      `without a request the outbox stayed: ${consumer.last()?.rev}, head ${latest.rev}`
    )
  }
  const asked = performance.now()
  while (consumer.last()?.rev !== latest.rev && performance.now() - asked < 20_000) {
    if (consumer.problem() !== undefined) break
    await pause(20)
    await consumer.settle()
  }
  const caughtUp = performance.now() - asked
  const problem = consumer.problem()
  if (problem !== undefined) return { problems: [`the firehose: ${problem.message}`], caughtUp }
  if (consumer.last()?.rev !== latest.rev) {
    problems.push(`the firehose stops at ${consumer.last()?.rev}, the head is ${latest.rev}`)
  }
  const car = await get(server.url, `com.atproto.sync.getRepo?did=${encodeURIComponent(did)}`)
  const { creates, commit } = await verifyRepoCar(car, did, await signingKeyOf(server.publicUrl))
  if (commit.rev !== latest.rev) problems.push(`getRepo is at ${commit.rev}, not ${latest.rev}`)
  const contents = new Map(
    creates.map(({ collection, rkey, cid }) => [`${collection}/${rkey}`, cid.toString()])
  )
  problems.push(...judge(ledger, contents))
  for (const [path, cid] of contents) {
    if (consumer.mirror.get(path) !== cid) problems.push(`the firehose has another ${path}`)
  }
  if (consumer.mirror.size !== contents.size) problems.push("the firehose has other records")
  for (const rev of ledger.revs) {
    if (!consumer.revs.has(rev)) problems.push(`commit ${rev} was acknowledged and never announced`)
  }
  for (const [path, { record, cid, bytes }] of ledger.blobs) {
    // The record and its blob may have been changed or deleted since.
    if (contents.get(path) !== record) continue
    const asked = `com.atproto.sync.getBlob?did=${encodeURIComponent(did)}&cid=${cid}`
    const served = await get(server.url, asked)
    if (!served.equals(bytes)) problems.push(`blob ${cid} is not what was uploaded`)
  }
  // Checked once: this kill can only have hit a blob of this round.
  ledger.blobs.clear()
  return { problems, caughtUp }
}

async function get(url: string, path: string): Promise<Buffer> {
  const response = await fetch(`${url}/xrpc/${path}`)
  if (!response.ok) throw new Error(`${path}: ${response.status} ${await response.text()}`)
  return Buffer.from(await response.arrayBuffer())
}

async function signIn(url: string, identifier: string, password: string): Promise<string> {
  const response = await fetch(`${url}/xrpc/com.atproto.server.createSession`, {
    method: "POST",
    headers: { "content-type": "application/json" },
    body: JSON.stringify({ identifier, password })
  })
  if (!response.ok) throw new Error(`createSession: ${response.status} ${await response.text()}`)
  // SAFETY: what createSession answers.
  return ((await response.json()) as { readonly accessJwt: string }).accessJwt
}

/** The did:key in the account's own DID document (a did:web of this address). */
async function signingKeyOf(url: string): Promise<string> {
  // SAFETY: a DID document of the server under test.
  const document = (await (await fetch(`${url}/.well-known/did.json`)).json()) as {
    readonly verificationMethod: ReadonlyArray<{
      readonly id: string
      readonly publicKeyMultibase: string
    }>
  }
  const method = document.verificationMethod.find(({ id }) => id.endsWith("#atproto"))
  return `did:key:${method?.publicKeyMultibase}`
}
