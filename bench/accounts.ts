#!/usr/bin/env node
/**
 * Many accounts in one process: memory, open files and latency of `nacre serve` with a full directory.
 */
import { existsSync, readdirSync } from "node:fs"
import { join } from "node:path"
import { parseArgs } from "node:util"
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Layer from "effect/Layer"
import * as Scope from "effect/Scope"
import { loadSecrets } from "../scripts/env.ts"
import { freePort } from "../scripts/server.ts"
import { accountApp } from "../src/http/account.ts"
import { makeHandler } from "../src/http/webHandler.ts"
import * as Box from "../src/layers/Box.ts"
import * as SqlStorageNode from "../src/layers/host/sql/SqlStorageNode.ts"
import { PasswordCost } from "../src/services/sessions/Passwords.ts"
import { memoryOf, peakOf, startServer, temporaryFolder } from "./server.ts"

const help = `node bench/accounts.ts [--listed 10000] [--active 1000] [--open 1000] [--rounds 3] [--clients 8]

Makes a data folder with --listed accounts in the directory, --active of them with a repo, starts nacre serve on
it with MAX_OPEN_ACCOUNTS=--open, writes and reads in every active account by --clients at once, and prints memory,
open files and latencies. The server is the one that npm run package builds, or from its sources without one.`

const { values } = parseArgs({
  options: {
    listed: { type: "string", default: "10000" },
    active: { type: "string", default: "1000" },
    open: { type: "string", default: "1000" },
    rounds: { type: "string", default: "3" },
    clients: { type: "string", default: "8" },
    help: { type: "boolean", short: "h", default: false }
  }
})

interface Person {
  readonly did: string
  readonly auth: string
}

const json = { "content-type": "application/json" }

/** Signs people up in a server in this process, which hashes their passwords cheaply. */
const fill = async (folder: string, publicUrl: string): Promise<ReadonlyArray<Person>> => {
  const { vars } = loadSecrets(join(folder, "nacre.env"))
  const env = { ...vars, PUBLIC_URL: publicUrl, RATE_LIMITS: "off", LOG_LEVEL: "error" }
  const scope = Scope.makeUnsafe()
  const services = await Box.make(accountApp, env, { folder, mostOpen: 10_000 }).pipe(
    Effect.flatMap((home) => Layer.build(home.services)),
    Scope.provide(scope),
    Effect.runPromise
  )
  const handler = makeHandler(
    Layer.succeedContext(Context.add(services, PasswordCost, { logN: 4, r: 1, p: 1 }))
  )
  const people: Array<Person> = []
  for (let nth = 0; nth < Number(values.active); nth++) {
    const did = `did:web:person${nth}.test`
    const response = await handler(
      new Request(`${publicUrl}/xrpc/com.atproto.server.createAccount`, {
        method: "POST",
        headers: { ...json, authorization: `Basic ${btoa(`admin:${vars["ADMIN_PASSWORD"]}`)}` },
        body: JSON.stringify({
          did,
          handle: `person${nth}.test`,
          email: `${nth}@example.com`,
          password: "a long password"
        })
      })
    )
    const text = await response.text()
    if (!response.ok) throw new Error(`createAccount: ${response.status} ${text}`)
    // SAFETY: what createAccount answers.
    const { accessJwt } = JSON.parse(text) as { readonly accessJwt: string }
    people.push({ did, auth: `Bearer ${accessJwt}` })
  }
  await Effect.runPromise(Scope.close(scope, Exit.void))
  return people
}

/** Lists accounts that nobody uses. */
const list = (folder: string): void => {
  const directory = SqlStorageNode.open(join(folder, "directory.sqlite"))
  const insert = directory.prepare(
    "INSERT INTO accounts (did, handle, email, status, created_at) VALUES (?, ?, ?, 'active', 0)"
  )
  directory.exec("BEGIN")
  for (let nth = Number(values.active); nth < Number(values.listed); nth++) {
    insert.run(`did:web:person${nth}.test`, `person${nth}.test`, `${nth}@example.com`)
  }
  directory.exec("COMMIT")
  directory.close()
}

const percentile = (times: ReadonlyArray<number>, share: number): string =>
  (times.toSorted((a, b) => a - b)[Math.floor(times.length * share)] ?? 0).toFixed(1)

const timed = async (times: Array<number>, call: () => Promise<Response>): Promise<void> => {
  const from = performance.now()
  const response = await call()
  const text = await response.text()
  times.push(performance.now() - from)
  if (!response.ok) throw new Error(`${response.status} ${text}`)
}

const run = async (): Promise<void> => {
  const { folder, remove } = temporaryFolder("accounts")
  try {
    const port = await freePort()
    // Makes the first account, without which it makes one later.
    await (await startServer({ dataDir: folder, port, home: "box" })).stop()
    const from = performance.now()
    const people = await fill(folder, `http://localhost:${port}`)
    list(folder)
    console.log(
      `${people.length} accounts made in ${Math.round((performance.now() - from) / 1000)} s`
    )
    const env = { MAX_OPEN_ACCOUNTS: values.open, MALLOC_ARENA_MAX: "2" }
    const packed = join(import.meta.dirname, "../dist/nacre/dist/cli.js")
    const program = existsSync(packed) ? { program: packed, args: ["serve"] } : {}
    const server = await startServer({ dataDir: folder, port, home: "box", env, ...program })
    const state = (what: string) => {
      const files = readdirSync(`/proc/${server.workerd}/fd`).length
      console.log(
        `${what}: ${Math.round(memoryOf(server.workerd))} MiB, ${Math.round(peakOf(server.workerd))} at its peak, ${files} open files`
      )
    }
    try {
      state("started")
      for (let round = 1; round <= Number(values.rounds); round++) {
        const writes: Array<number> = []
        const reads: Array<number> = []
        const use = async ({ did, auth }: Person) => {
          const record = {
            $type: "app.bsky.feed.post",
            text: `round ${round}`,
            createdAt: "2026-01-01T00:00:00.000Z"
          }
          await timed(writes, () =>
            fetch(`${server.url}/xrpc/com.atproto.repo.createRecord`, {
              method: "POST",
              headers: { ...json, authorization: auth },
              body: JSON.stringify({ repo: did, collection: record.$type, record })
            })
          )
          await timed(reads, () =>
            fetch(`${server.url}/xrpc/com.atproto.repo.describeRepo?repo=${did}`)
          )
        }
        const waiting = people.values()
        const client = async () => {
          for (const person of waiting) await use(person)
        }
        await Promise.all(Array.from({ length: Number(values.clients) }, client))
        state(
          `round ${round}, createRecord p50 ${percentile(writes, 0.5)} p99 ${percentile(writes, 0.99)} ms, ` +
            `describeRepo p50 ${percentile(reads, 0.5)} ms`
        )
      }
    } finally {
      await server.stop()
    }
  } finally {
    remove()
  }
}

if (values.help) console.log(help)
else await run()
