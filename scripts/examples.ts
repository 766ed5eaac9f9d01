/**
 * `npm run examples`: installs the packed packages and every example into an empty folder, and runs them there.
 *
 * `--no-build` uses the existing packages in `dist/`. Arguments select examples; `astro`, whose
 * install is as large as all others together, only runs if it is named.
 */
import { execFileSync, spawn, spawnSync } from "node:child_process"
import {
  cpSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  writeFileSync
} from "node:fs"
import { randomBytes } from "node:crypto"
import { createServer, type AddressInfo } from "node:net"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { parseArgs } from "node:util"

const root = join(import.meta.dirname, "..")
const { version } = JSON.parse(readFileSync(join(root, "package.json"), "utf8"))
const tarball = (name: string) => join(root, "dist", `${name}-${version}.tgz`)

/** The project from create-nacre is installed among the examples, and run like them. */
const created = "created"

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    "no-build": { type: "boolean", default: false },
    keep: { type: "boolean", default: false }
  }
})

const all = readdirSync(join(root, "examples"), { withFileTypes: true })
  .filter((entry) => entry.isDirectory())
  .map(({ name }) => name)
  .concat(created)
const chosen = all.filter((name) =>
  positionals.length === 0 ? name !== "astro" : positionals.includes(name)
)

// With this Node, but nothing from an earlier run or the repository.
const environment = Object.fromEntries(
  Object.entries({ ...process.env, WRANGLER_SEND_METRICS: "false" }).filter(
    ([name]) => !/^(npm_|NACRE_|DATA_DIR$|PLC_URL$|PUBLIC_URL$)/.test(name)
  )
)

const folder = mkdtempSync(join(tmpdir(), "nacre-examples-"))
const place = (...names: ReadonlyArray<string>) => join(folder, ...names)
const program = (name: string, file: string) => place("node_modules", name, file)

const run = (cwd: string, file: string, ...args: ReadonlyArray<string>): string => {
  const { status, stdout, stderr } = spawnSync(process.execPath, [file, ...args], {
    cwd: place(cwd),
    env: environment,
    encoding: "utf8"
  })
  if (status !== 0) throw new Error(`${file} ${args.join(" ")} failed:\n${stdout}${stderr}`)
  return stdout
}

const must = (condition: boolean, what: string): void => {
  if (!condition) throw new Error(`not so: ${what}`)
}

const freePort = (): Promise<number> =>
  new Promise((found) => {
    const probe = createServer().listen(0, "127.0.0.1", () => {
      // SAFETY: it listens on a port.
      const { port } = probe.address() as AddressInfo
      probe.close(() => found(port))
    })
  })

const readManifest = (file: string) => JSON.parse(readFileSync(file, "utf8"))

const writeManifest = (file: string, manifest: object) =>
  writeFileSync(file, `${JSON.stringify(manifest, null, 2)}\n`)

/** One install for all: each example is a workspace that uses the packed package. */
const install = (): void => {
  const create = place("create")
  mkdirSync(create)
  execFileSync("tar", ["xzf", tarball("create-nacre"), "-C", create])
  if (chosen.includes(created)) {
    run(
      ".",
      join(create, "package/dist/create.js"),
      created,
      "--yes",
      "--no-install",
      "--nacre",
      tarball("nacre")
    )
  }
  for (const name of chosen.filter((one) => one !== created)) {
    cpSync(join(root, "examples", name), place(name), { recursive: true })
    const file = place(name, "package.json")
    const manifest = readManifest(file)
    for (const kind of ["dependencies", "devDependencies"]) {
      if (manifest[kind]?.nacre !== undefined) manifest[kind].nacre = `file:${tarball("nacre")}`
    }
    writeManifest(file, manifest)
  }
  writeManifest(place("package.json"), { private: true, workspaces: chosen })
  execFileSync("npm", ["install", "--no-audit", "--no-fund", "--loglevel=error"], {
    cwd: folder,
    env: environment,
    stdio: "inherit"
  })
}

type Json = Readonly<Record<string, unknown>>

// SAFETY: every JSON response of XRPC and of the examples is an object.
const jsonOf = async (response: Response): Promise<Json> => (await response.json()) as Json

interface Served {
  readonly url: string
  readonly get: (path: string, headers?: Record<string, string>) => Promise<Response>
  readonly json: (path: string, headers?: Record<string, string>) => Promise<Json>
  /** Signs in and posts, as the first account. */
  readonly post: () => Promise<{ uri: string; authorization: string }>
}

/** Serves a project with `nacre dev`, as its owner would, while `use` runs. */
const serving = async (
  name: string,
  use: (served: Served) => Promise<void>,
  given?: number
): Promise<void> => {
  const port = given ?? (await freePort())
  const child = spawn(process.execPath, [program("nacre", "dist/cli.js"), "dev"], {
    cwd: place(name),
    env: { ...environment, PORT: String(port) },
    stdio: ["ignore", "pipe", "pipe"]
  })
  let output = ""
  const ended = new Promise<void>((done) => child.once("close", () => done()))
  try {
    await new Promise<void>((ready, failed) => {
      const hear = (chunk: Buffer) => {
        output += chunk.toString()
        if (output.includes("Stop with Ctrl-C")) ready()
      }
      child.stdout.on("data", hear)
      child.stderr.on("data", hear)
      child.once("close", () => failed(new Error(`nacre dev ended:\n${output}`)))
    })
    const url = `http://localhost:${port}`
    const account = readManifest(place(name, ".data/account.json"))
    const call = async (nsid: string, input: object, headers: Record<string, string> = {}) => {
      const response = await fetch(`${url}/xrpc/${nsid}`, {
        method: "POST",
        headers: { "content-type": "application/json", ...headers },
        body: JSON.stringify(input)
      })
      must(response.ok, `${nsid} answers ${response.status} ${await response.clone().text()}`)
      return jsonOf(response)
    }
    await use({
      url,
      get: (path, headers = {}) => fetch(`${url}${path}`, { headers }),
      json: async (path, headers = {}) => jsonOf(await fetch(`${url}${path}`, { headers })),
      post: async () => {
        const { handle: identifier, password, did: repo } = account
        const { accessJwt } = await call("com.atproto.server.createSession", {
          identifier,
          password
        })
        const authorization = `Bearer ${String(accessJwt)}`
        const collection = "app.bsky.feed.post"
        const record = { $type: collection, text: "hello", createdAt: new Date().toISOString() }
        const { uri } = await call(
          "com.atproto.repo.createRecord",
          { repo, collection, record },
          { authorization }
        )
        return { uri: String(uri), authorization }
      }
    })
  } catch (cause) {
    throw new Error(`${String(cause)}\n${output}`, { cause })
  } finally {
    child.kill("SIGTERM")
    await ended
  }
}

const dryRun = (name: string): void => {
  run(name, program("wrangler", "bin/wrangler.js"), "deploy", "--dry-run")
}

/**
 * Serves the built site as wrangler does, with the PDS at its own paths; creates an account and
 * posts.
 */
const servingAstro = async (): Promise<void> => {
  const port = await freePort()
  const url = `http://localhost:${port}`
  const secrets = {
    PUBLIC_URL: url,
    MASTER_KEY: randomBytes(32).toString("base64url"),
    PLC_ROTATION_KEY: "01".repeat(32),
    ADMIN_PASSWORD: "administrator-password",
    RELAYS: "none"
  }
  const vars = Object.entries(secrets).flatMap(([name, value]) => ["--var", `${name}:${value}`])
  const words = ["dev", "--config", "dist/server/wrangler.json", "--port", String(port)]
  const child = spawn(
    process.execPath,
    [program("wrangler", "bin/wrangler.js"), ...words, ...vars],
    { cwd: place("astro"), env: environment, stdio: ["ignore", "pipe", "pipe"] }
  )
  let output = ""
  for (const stream of [child.stdout, child.stderr]) {
    stream.on("data", (chunk: Buffer) => (output += chunk.toString()))
  }
  const ended = new Promise<void>((done) => child.once("close", () => done()))
  const ask = (path: string, init: RequestInit = {}) => fetch(`${url}${path}`, init)
  const send = async (nsid: string, authorization: string, input: object) => {
    const headers = { authorization, "content-type": "application/json" }
    const body = JSON.stringify(input)
    const response = await ask(`/xrpc/${nsid}`, { method: "POST", headers, body })
    must(response.ok, `${nsid} answers ${response.status} ${await response.clone().text()}`)
    return jsonOf(response)
  }
  try {
    for (let tries = 0; tries < 60; tries++) {
      const ready = await ask("/ready").catch(() => undefined)
      if (ready?.ok === true) break
      await new Promise((next) => setTimeout(next, 500))
    }
    must((await (await ask("/")).text()).includes("An Astro site"), "Astro answers /")
    must((await ask("/nothing")).status === 404, "Astro answers what is nowhere")
    const admin = `Basic ${Buffer.from(`admin:${secrets.ADMIN_PASSWORD}`).toString("base64")}`
    const did = `did:web:${encodeURIComponent(`localhost:${port}`)}`
    const account = {
      did,
      handle: "you.test",
      email: "you@example.com",
      password: "a long password"
    }
    const { accessJwt } = await send("com.atproto.server.createAccount", admin, account)
    const collection = "app.bsky.feed.post"
    const record = { $type: collection, text: "hello", createdAt: new Date().toISOString() }
    const authorization = `Bearer ${String(accessJwt)}`
    await send("com.atproto.repo.createRecord", authorization, { repo: did, collection, record })
  } catch (cause) {
    throw new Error(`${String(cause)}\n${output}`, { cause })
  } finally {
    child.kill("SIGTERM")
    await ended
  }
}

const greeting = "/xrpc/com.example.greet?name=you"

/** Runs each example. */
const runs: Readonly<Record<string, () => Promise<void>>> = {
  [created]: async () => {
    dryRun(created)
    const port = await freePort()
    const first = async ({ post }: Served) => {
      await post()
      run(created, program("nacre", "dist/cli.js"), "status")
    }
    const second = async ({ json, post }: Served) => {
      const { uri } = await post()
      const [, , did = ""] = uri.split("/")
      const params = new URLSearchParams({ repo: did, collection: "app.bsky.feed.post" })
      const { records } = await json(`/xrpc/com.atproto.repo.listRecords?${params}`)
      must(
        Array.isArray(records) && records.length === 2,
        "the post of the first start is there at the second"
      )
    }
    await serving(created, first, port)
    await serving(created, second, port)
  },
  "one-line": () =>
    serving("one-line", async ({ post, url }) => {
      await post()
      if (!chosen.includes("firehose")) return
      const told = run("firehose", place("firehose/consume.js"), url, "1")
      must(told.startsWith("create at://did:"), `the consumer tells of the post: ${told}`)
    }),
  "own-worker": () =>
    serving("own-worker", async ({ get, json, post }) => {
      must((await (await get("/blog")).text()).startsWith("The site of"), "the site answers /blog")
      must((await get(greeting)).status === 401, "strangers cannot call the method")
      const { authorization } = await post()
      const { text } = await json(greeting, { authorization })
      must(String(text).startsWith("Hello you, from did:"), "the method answers its caller")
      const { error } = await json(greeting.replace("you", "nobody"), { authorization })
      must(error === "NoSuchName", "the method's error arrives by name")
      must((await json("/ready"))["sendsMail"] === true, "the mailer is in place")
    }),
  hono: () =>
    serving("hono", async ({ get, json, post }) => {
      must((await (await get("/")).text()) === "A site by Hono", "Hono answers /")
      must((await json("/hello/you"))["hello"] === "you", "Hono answers its routes")
      await post()
    }),
  effect: () =>
    serving("effect", async ({ json, post }) => {
      must((await json("/ready"))["sendsMail"] === true, "the mailer is in place")
      await post()
    }),
  "oauth-app": async () => {
    // The program itself, which isn't JavaScript after esbuild's install script has run.
    const words = ["main.js", "--bundle", "--format=esm", "--outfile=dist/main.js"]
    execFileSync(place("node_modules/.bin/esbuild"), [...words, "--log-level=error"], {
      cwd: place("oauth-app")
    })
  },
  astro: async () => {
    run("astro", program("astro", "bin/astro.mjs"), "build")
    await servingAstro()
  },
  vitest: async () => {
    run("vitest", program("vitest", "vitest.mjs"), "run")
  },
  firehose: async () => {}
}

let failed = 0
try {
  if (!values["no-build"]) {
    execFileSync(process.execPath, [join(root, "scripts/package.ts")], { stdio: "inherit" })
  }
  const started = performance.now()
  install()
  console.log(`installed (${((performance.now() - started) / 1000).toFixed(1)} s)`)
  for (const name of chosen) {
    const from = performance.now()
    try {
      await runs[name]?.()
      console.log(`✓ ${name} (${((performance.now() - from) / 1000).toFixed(1)} s)`)
    } catch (cause) {
      failed += 1
      console.error(`✗ ${name}\n${String(cause)}`)
    }
  }
} finally {
  if (!values.keep) rmSync(folder, { recursive: true, force: true })
  else console.log(folder)
}
process.exitCode = failed === 0 ? 0 : 1
