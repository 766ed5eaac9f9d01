#!/usr/bin/env node
import { createECDH, randomBytes } from "node:crypto"
import { join } from "node:path"
import { DatabaseSync } from "node:sqlite"
import { parseArgs } from "node:util"
import { startServer, temporaryFolder } from "../../bench/server.ts"
import { writePrivate } from "../../scripts/env.ts"
import { startPlc } from "../../scripts/plc.ts"
import { freePort } from "../../scripts/server.ts"
import { formatDidKey, publicKeyOf } from "../../src/core/identity/didKey.ts"
import { seeded } from "./random.ts"

const help = `npm run soak:rotation -- [--kills 10] [--accounts 30] [--seed n]

Replaces MASTER_KEY and PLC_ROTATION_KEY of a server on Node (nacre serve) and kills it (SIGKILL) again and
again meanwhile. Afterwards, with the new keys alone: every DID names the new key after exactly one operation,
every account signs in with its password and its app password from before and writes, and every fifth changes
its handle.`

const { values } = parseArgs({
  options: {
    kills: { type: "string", default: "10" },
    accounts: { type: "string", default: "30" },
    seed: { type: "string" },
    help: { type: "boolean", short: "h", default: false }
  }
})

const secretOf = () => {
  const ecdh = createECDH("secp256k1")
  ecdh.generateKeys()
  return ecdh.getPrivateKey("hex").padStart(64, "0")
}
const didKeyOf = (hex: string) => formatDidKey(publicKeyOf("k256", Buffer.from(hex, "hex")))
const pause = (milliseconds: number) => new Promise<void>((done) => setTimeout(done, milliseconds))

const before = { MASTER_KEY: randomBytes(32).toString("base64url"), PLC_ROTATION_KEY: secretOf() }
const after = { MASTER_KEY: randomBytes(32).toString("base64url"), PLC_ROTATION_KEY: secretOf() }
const both = {
  ...after,
  MASTER_KEY_PREVIOUS: before.MASTER_KEY,
  PLC_ROTATION_KEY_PREVIOUS: before.PLC_ROTATION_KEY
}
const adminPassword = "the administrator of a rotation"
const authorization = `Basic ${Buffer.from(`admin:${adminPassword}`).toString("base64")}`
const routes = ["master", "plc"] as const

interface Person {
  readonly did: string
  readonly handle: string
  readonly password: string
  readonly appPassword: string
}

interface Progress {
  readonly phase: string
  readonly isHeldUp: boolean
  readonly damaged?: number
  readonly failed: number
}

const json = async (url: string, init: RequestInit = {}) => {
  const response = await fetch(url, init)
  const text = await response.text()
  const body = text === "" ? {} : JSON.parse(text)
  if (!response.ok) throw new Error(`${url}: ${response.status} ${JSON.stringify(body)}`)
  return body as Record<string, never>
}

const post = (url: string, input: object, auth: string) =>
  json(url, {
    method: "POST",
    headers: { "content-type": "application/json", authorization: auth },
    body: JSON.stringify(input)
  })

const rotate = async (url: string, which: (typeof routes)[number]): Promise<Progress> =>
  (await json(`${url}/admin/keys/${which}`, {
    method: "POST",
    headers: { authorization }
  })) as unknown as Progress

/** Continues a rotation until it ends or must wait. */
const rotateOn = async (url: string, which: (typeof routes)[number]): Promise<Progress> => {
  while (true) {
    const at = await rotate(url, which)
    if (at.phase === "done" || at.isHeldUp) return at
  }
}

async function run(kills: number, count: number, seed: number): Promise<ReadonlyArray<string>> {
  console.log(`rotation: ${kills} kills, ${count} accounts, seed ${seed}`)
  const random = seeded(seed)
  const { folder, remove } = temporaryFolder("rotation")
  const plc = await startPlc()
  const port = await freePort()
  const env = { PLC_URL: plc.url, DEV_ALLOW_HOSTS: new URL(plc.url).host }
  const start = (keys: Readonly<Record<string, string>>) => {
    const vars = Object.entries({ ...keys, ADMIN_PASSWORD: adminPassword })
    const lines = vars.map(([name, value]) => `${name}=${value}\n`)
    writePrivate(join(folder, "nacre.env"), lines.join(""))
    return startServer({ dataDir: folder, port, home: "box", env })
  }
  const people: Array<Person> = []
  let server = await start(before)
  try {
    for (let at = 0; at < count; at++) {
      const person = { handle: `person${at}.test`, password: `the password of ${at}` }
      const input = { ...person, email: `person${at}@mail.example.com` }
      const made = await post(
        `${server.url}/xrpc/com.atproto.server.createAccount`,
        input,
        authorization
      )
      const app = await post(
        `${server.url}/xrpc/com.atproto.server.createAppPassword`,
        { name: "phone" },
        `Bearer ${String(made["accessJwt"])}`
      )
      people.push({ did: String(made["did"]), appPassword: String(app["password"]), ...person })
    }
    await server.stop()
    for (let round = 1; round <= kills; round++) {
      server = await start(both)
      // Cut off by the kill.
      const rotating = routes.map((which) => rotateOn(server.url, which).catch(() => undefined))
      await pause(random.between(5, 150))
      await server.kill()
      await Promise.all(rotating)
    }
    server = await start(both)
    for (const which of routes) {
      const { damaged = 0, failed, phase } = await rotateOn(server.url, which)
      console.log(`${which}: ${phase}, ${failed} failed, ${damaged} damaged`)
    }
    await server.stop()
    // As if the quarter of an hour had passed for which the old keys stay.
    const database = new DatabaseSync(join(folder, "directory.sqlite"))
    database.exec("UPDATE key_rotation SET progress = json_set(progress, '$.begunAt', 0)")
    database.close()
    server = await start(both)
    for (const which of routes) {
      const { phase } = await rotateOn(server.url, which)
      if (phase !== "done") return [`the rotation of ${which} is at ${phase}`]
    }
    await server.stop()
    server = await start(after)
    return await judge(server.url, plc.url, people)
  } catch (cause) {
    return [
      cause instanceof Error ? (cause.stack ?? cause.message) : String(cause),
      server.output()
    ]
  } finally {
    await server.stop()
    await plc.close()
    remove()
  }
}

/** What is wrong with the accounts under the new keys. */
async function judge(
  url: string,
  plc: string,
  people: ReadonlyArray<Person>
): Promise<ReadonlyArray<string>> {
  const problems: Array<string> = []
  for (const [at, { appPassword, did, handle, password }] of people.entries()) {
    const log = (await json(`${plc}/${did}/log`)) as unknown as ReadonlyArray<unknown>
    const data = await json(`${plc}/${did}/data`)
    const keys: unknown = data["rotationKeys"]
    if (log.length !== 2) problems.push(`${did}: ${log.length} operations`)
    if (JSON.stringify(keys) !== JSON.stringify([didKeyOf(after.PLC_ROTATION_KEY)])) {
      problems.push(`${did}: ${JSON.stringify(keys)}`)
    }
    const signedIn = await post(
      `${url}/xrpc/com.atproto.server.createSession`,
      { identifier: handle, password },
      ""
    )
    const auth = `Bearer ${String(signedIn["accessJwt"])}`
    await post(
      `${url}/xrpc/com.atproto.server.createSession`,
      { identifier: handle, password: appPassword },
      ""
    )
    const record = {
      $type: "app.bsky.feed.post",
      text: "kept",
      createdAt: new Date().toISOString()
    }
    const collection = "app.bsky.feed.post"
    await post(`${url}/xrpc/com.atproto.repo.createRecord`, { repo: did, collection, record }, auth)
    if (at % 5 === 0) {
      const renamed = { handle: `renamed${at}.test` }
      await post(`${url}/xrpc/com.atproto.identity.updateHandle`, renamed, auth)
    }
  }
  return problems
}

if (values.help) console.log(help)
else {
  const seed = Number(values.seed ?? Date.now() % 1_000_000)
  const problems = await run(Number(values.kills), Number(values.accounts), seed)
  for (const problem of problems.slice(0, 20)) console.error(`✗ ${problem}`)
  console.log(
    problems.length === 0 ? "rotation: nothing lost" : `rotation: failed (--seed ${seed})`
  )
  process.exit(problems.length === 0 ? 0 : 1)
}
