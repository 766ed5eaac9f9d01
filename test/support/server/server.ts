import { fork } from "node:child_process"
import { mkdtempSync, rmSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import type { FirstAccount } from "../../../scripts/account.ts"
import { builtOnce } from "../../../scripts/built.ts"
import { isFree } from "../../../scripts/server.ts"

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

/** The port that this process tries next. */
let nextPort = 11_000 + ((process.pid * 97) % 180) * 100

/**
 * A free port of 127.0.0.1, which stays free until a server listens, and while it restarts: another
 * test process begins elsewhere, and outgoing connections get higher ports.
 */
export const freePort = async (): Promise<number> => {
  for (;;) {
    const port = nextPort
    nextPort = port < 29_000 ? port + 1 : 11_000
    if (await isFree(port)) return port
  }
}

/** Waits until a condition holds; the deadline only names the condition of a test that hangs. */
export const until = async (
  what: string,
  holds: () => boolean | Promise<boolean>,
  deadline = 120_000
): Promise<void> => {
  const end = performance.now() + deadline
  while (!(await holds())) {
    if (performance.now() > end) throw new Error(`waited in vain: ${what}`)
    await new Promise((resolve) => setTimeout(resolve, 10))
  }
}

/** The started script's message when its server is ready. */
interface Ready {
  readonly url: string
  readonly publicUrl: string
  readonly plc: string
  readonly workerd: number
  readonly account: FirstAccount
}

type Environment = Readonly<Record<string, string>>

const launch = async (dataDir: string, port: number, env: Environment) => {
  const output: Array<string> = []
  const { script, args, env: fast } = await builtOnce()
  const child = fork(script, args, {
    env: {
      ...process.env,
      ...fast,
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
