/** Starts both servers of a comparison, each in a process of its own over an empty folder. */
import { fork } from "node:child_process"
import { existsSync } from "node:fs"
import { join } from "node:path"
import type { FirstAccount } from "../scripts/account.ts"
import { freePort } from "../scripts/server.ts"
import { type BenchAccount, openAccount } from "./account.ts"
import type { Connection } from "./http.ts"
import { memoryOf, startServer, temporaryFolder } from "./server.ts"

/** The command as npm run package builds it. */
const packed = join(import.meta.dirname, "../dist/nacre/dist/cli.js")

/** Where the reference PDS is, and its Node. */
export interface Peers {
  /** A folder with the reference PDS and the PLC directory server among its packages. */
  readonly reference: string
  /** Node for the reference, which its addon was built for. */
  readonly node: string
}

/** A server under measurement. */
export interface Side {
  readonly name: string
  readonly url: string
  readonly pid: number
  readonly account: BenchAccount
  readonly clients: ReadonlyArray<Connection>
}

/** A server over its own folder, which may be started several times. */
export interface Contender {
  /** Starts it again, and measures the time until it answers, and its memory. */
  readonly restart: () => Promise<{ readonly start: number; readonly idle: number }>
  /** The server as it was last started, with its account signed in. */
  readonly side: () => Promise<Side>
  /** Ends it and removes its folder. */
  readonly stop: () => Promise<void>
}

/** A process that answers, with the milliseconds until it did. */
interface Started {
  readonly pid: number
  readonly start: number
  readonly stop: () => Promise<void>
}

const password = "a long password"

/** Starts a program of the reference; its first message says that it is ready. */
const startPeer = async (
  { reference, node }: Peers,
  script: string,
  env: Readonly<Record<string, string>>
) => {
  const output: Array<string> = []
  const child = fork(join(reference, script), [], {
    cwd: reference,
    execPath: node,
    execArgv: [],
    env: { PATH: process.env["PATH"], LOG_ENABLED: "false", NODE_ENV: "production", ...env },
    stdio: ["ignore", "pipe", "pipe", "ipc"]
  })
  for (const stream of [child.stdout, child.stderr]) {
    stream?.on("data", (chunk) => output.push(String(chunk)))
  }
  const exited = new Promise<void>((done) => child.once("exit", () => done()))
  const ready = await new Promise<unknown>((done, fail) => {
    child.once("message", done)
    child.once("error", fail)
    void exited.then(() => fail(new Error(`${script} ended:\n${output.join("")}`)))
  })
  const stop = async () => {
    child.kill("SIGKILL")
    await exited
  }
  return { ready, pid: child.pid ?? 0, stop }
}

const healthy = async (url: string): Promise<void> => {
  const isUp = () =>
    fetch(`${url}/xrpc/_health`).then(
      ({ ok }) => ok,
      () => false
    )
  while (!(await isUp())) await new Promise((done) => setTimeout(done, 5))
}

/** What both contenders share: `account` signs up at the first start, and returns the DID. */
const contender = async (
  name: string,
  url: string,
  launch: () => Promise<Started>,
  account: () => Promise<Pick<FirstAccount, "did" | "password">>,
  remove: () => Promise<void> | void
): Promise<Contender> => {
  // Folder and account exist at the starts that count.
  let running = await launch()
  const known = await account()
  return {
    restart: async () => {
      await running.stop()
      running = await launch()
      // Work that waits until after the start.
      await new Promise((done) => setTimeout(done, 1000))
      return { start: running.start, idle: memoryOf(running.pid) }
    },
    side: async () => {
      const opened = await openAccount({ url, account: known })
      const clients = await Promise.all(Array.from({ length: 8 }, () => opened.connect()))
      return { name, url, pid: running.pid, account: opened, clients }
    },
    stop: async () => {
      await running.stop()
      await remove()
    }
  }
}

const signUp = async (url: string, headers: object, input: object): Promise<string> => {
  const response = await fetch(`${url}/xrpc/com.atproto.server.createAccount`, {
    method: "POST",
    headers: { "content-type": "application/json", ...headers },
    body: JSON.stringify({ email: "bench@example.com", password, ...input })
  })
  const text = await response.text()
  if (!response.ok) throw new Error(`createAccount: ${response.status} ${text}`)
  // SAFETY: what createAccount answers.
  return (JSON.parse(text) as { readonly did: string }).did
}

/** The reference PDS, with its own SQLite and blobs on disk. */
const reference = async (options: Peers): Promise<Contender> => {
  const { folder, remove } = temporaryFolder("reference")
  const plc = await startPeer(options, "plc.mjs", {})
  const port = await freePort()
  const url = `http://127.0.0.1:${port}`
  const launch = async () => {
    const from = performance.now()
    const { pid, stop } = await startPeer(options, "pds.mjs", {
      MALLOC_ARENA_MAX: "2",
      PDS_PORT: String(port),
      PDS_HOSTNAME: "localhost",
      PDS_SERVICE_DID: `did:web:localhost%3A${port}`,
      PDS_SERVICE_HANDLE_DOMAINS: ".bench.test",
      PDS_DATA_DIRECTORY: folder,
      PDS_BLOBSTORE_DISK_LOCATION: join(folder, "blobs"),
      // SAFETY: the script sends nothing else.
      PDS_DID_PLC_URL: (plc.ready as { readonly url: string }).url,
      PDS_DEV_MODE: "true",
      PDS_INVITE_REQUIRED: "false",
      PDS_JWT_SECRET: "jwt-secret-of-the-bench",
      PDS_DPOP_SECRET: "08".repeat(32),
      PDS_ADMIN_PASSWORD: "administrator",
      PDS_PLC_ROTATION_KEY_K256_PRIVATE_KEY_HEX: "07".repeat(32)
    })
    await healthy(url)
    return { pid, stop, start: performance.now() - from }
  }
  const account = async () => ({
    did: await signUp(url, {}, { handle: "bench.bench.test" }),
    password
  })
  return contender("reference", url, launch, account, async () => {
    await plc.stop()
    remove()
  })
}

/** Nacre as `nacre serve` runs it from its package. */
const nacre = async (): Promise<Contender> => {
  if (!existsSync(packed)) throw new Error(`${packed} is missing: run npm run package first`)
  const { folder, remove } = temporaryFolder("box")
  const port = await freePort()
  const url = `http://127.0.0.1:${port}`
  let first: Promise<FirstAccount> | undefined
  const launch = async () => {
    const from = performance.now()
    const starting = startServer({
      dataDir: folder,
      port,
      home: "box",
      program: packed,
      args: ["serve"],
      env: { MALLOC_ARENA_MAX: "2" }
    })
    await healthy(url)
    const start = performance.now() - from
    const { workerd: pid, stop, account } = await starting
    first ??= Promise.resolve(account)
    return { pid, stop, start }
  }
  const account = async () => {
    const known = await first
    if (known === undefined) throw new Error("the server has no account")
    return known
  }
  return contender("Nacre", url, launch, account, remove)
}

/** Nacre and the reference PDS, started. */
export const contenders = async (options: Peers): Promise<readonly [Contender, Contender]> => [
  await nacre(),
  await reference(options)
]
