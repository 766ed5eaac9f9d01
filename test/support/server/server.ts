import { fork } from "node:child_process"
import { mkdtempSync, rmSync, writeFileSync } from "node:fs"
import { createServer, type AddressInfo } from "node:net"
import { tmpdir } from "node:os"
import { join } from "node:path"
import type { FirstAccount } from "../../../scripts/account.ts"
import { build, root } from "../../../scripts/build.ts"
import { readWrangler } from "../../../scripts/server.ts"

/** A server that tests call over the network, with control over its process. */
export interface TestServer {
  /** The address that it listens on: `http://127.0.0.1:<port>`. */
  readonly url: string
  /** Its public URL: `http://localhost:<port>`. */
  readonly publicUrl: string
  /** Its PLC directory. */
  readonly plcUrl: string
  /** Its first account, a did:web. */
  readonly account: FirstAccount
  /** The id of its workerd process; undefined without one. */
  readonly workerd: number | undefined
  /**
   * Cuts every connection, shuts down, and starts again with the same data and address; `between`
   * gets the data's folder.
   */
  restart(between?: (dataDir: string) => void): Promise<void>
  /** The same, but killed without a shutdown. */
  crash(): Promise<void>
  stop(): Promise<void>
}

/** A free port of 127.0.0.1. */
export const freePort = (): Promise<number> =>
  new Promise((resolve, reject) => {
    const probe = createServer()
    probe.once("error", reject)
    probe.listen(0, "127.0.0.1", () => {
      // SAFETY: it listens on a port, not on a pipe.
      const { port } = probe.address() as AddressInfo
      probe.close(() => resolve(port))
    })
  })

/** Waits until a condition holds; after the deadline it fails with the condition's name. */
export const until = async (
  what: string,
  holds: () => boolean | Promise<boolean>,
  deadline = 20_000
): Promise<void> => {
  const end = performance.now() + deadline
  while (!(await holds())) {
    if (performance.now() > end) throw new Error(`waited in vain: ${what}`)
    await new Promise((resolve) => setTimeout(resolve, 10))
  }
}

const script = join(import.meta.dirname, "../../../scripts/start.ts")

/** The started script's message when its server is ready. */
interface Ready {
  readonly url: string
  readonly publicUrl: string
  readonly plc: string
  readonly workerd: number
  readonly account: FirstAccount
}

type Environment = Readonly<Record<string, string>>

/** The bundled Worker and its bindings in a file, which every test server shares. */
const built = async (): Promise<string> => {
  const folder = mkdtempSync(join(tmpdir(), "nacre-built-"))
  process.once("exit", () => rmSync(folder, { recursive: true, force: true }))
  const { main, ...wrangler } = await readWrangler(join(root, "wrangler.toml"))
  const { code } = await build({ entry: main })
  const file = join(folder, "built.json")
  writeFileSync(file, JSON.stringify({ ...wrangler, code }))
  return file
}
let once: Promise<string> | undefined

/** What saves a start the reading and bundling: the arguments that name what an earlier one has built. */
export const builtOnce = async (): Promise<ReadonlyArray<string>> => [
  "--built",
  await (once ??= built())
]

const launch = async (dataDir: string, port: number, env: Environment) => {
  const output: Array<string> = []
  const child = fork(script, await builtOnce(), {
    env: {
      ...process.env,
      DATA_DIR: dataDir,
      PORT: String(port),
      LOG_LEVEL: "error",
      RATE_LIMITS: "off",
      ...env
    },
    execArgv: [],
    // It leads its own process group, so one signal reaches it and its workerd.
    detached: true,
    stdio: ["ignore", "pipe", "pipe", "ipc"]
  })
  const exited = new Promise<void>((resolve) => child.once("exit", () => resolve()))
  child.stdout?.on("data", (chunk) => output.push(String(chunk)))
  child.stderr?.on("data", (chunk) => output.push(String(chunk)))
  const ready = await new Promise<Ready>((resolve, reject) => {
    // SAFETY: the script sends nothing else.
    child.once("message", (message) => resolve(message as unknown as Ready))
    child.once("error", reject)
    void exited.then(() => reject(new Error(`the server did not start:\n${output.join("")}`)))
  })
  return {
    ready,
    end: (signal: "SIGTERM" | "SIGKILL") => {
      if (child.pid !== undefined)
        process.kill(signal === "SIGKILL" ? -child.pid : child.pid, signal)
      return exited
    }
  }
}

/** Starts the real Worker as `npm start` does, in its own process with an empty folder. */
export const startWorker = async (env: Environment = {}): Promise<TestServer> => {
  const dataDir = mkdtempSync(join(tmpdir(), "nacre-e2e-"))
  const port = await freePort()
  let running = await launch(dataDir, port, env)
  const again = async (signal: "SIGTERM" | "SIGKILL", between?: (dataDir: string) => void) => {
    await running.end(signal)
    between?.(dataDir)
    running = await launch(dataDir, port, env)
  }
  return {
    url: running.ready.url,
    publicUrl: running.ready.publicUrl,
    get plcUrl() {
      return running.ready.plc
    },
    get workerd() {
      return running.ready.workerd
    },
    account: running.ready.account,
    restart: (between) => again("SIGTERM", between),
    crash: () => again("SIGKILL"),
    stop: async () => {
      await running.end("SIGTERM")
      rmSync(dataDir, { recursive: true, force: true })
    }
  }
}
