/**
 * Starts a server like `npm start`, in its own folder, as a child process.
 */
import { fork } from "node:child_process"
import { mkdtempSync, readdirSync, readFileSync, rmSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { builtOnce } from "../scripts/built.ts"
import { ensureAccount, type FirstAccount } from "../scripts/account.ts"
import { loadSecrets } from "../scripts/env.ts"
import { freePort } from "../scripts/server.ts"

const boxScript = join(import.meta.dirname, "../src/serve.ts")

/** The homes of a server: one workerd, or Node with files. */
export const homes = ["workerd", "box"] as const

// Servers lead their own process groups, which the exit handlers of a stopped run end.
for (const [signal, code] of [
  ["SIGINT", 130],
  ["SIGTERM", 143]
] as const) {
  process.once(signal, () => process.exit(code))
}

// A signal to npm ends npm alone: a run that it has started ends with it.
if (process.env["npm_lifecycle_event"] !== undefined) {
  const parent = process.ppid
  setInterval(() => process.ppid === parent || process.exit(143), 500).unref()
}

/** A new empty data folder, with a function to remove it; at the latest, it is removed at the end. */
export function temporaryFolder(name: string): {
  readonly folder: string
  readonly remove: () => void
} {
  const folder = mkdtempSync(join(tmpdir(), `nacre-${name}-`))
  const remove = () => {
    process.off("exit", remove)
    rmSync(folder, { recursive: true, force: true })
  }
  process.once("exit", remove)
  return { folder, remove }
}

/** What the started script tells when its server is ready. */
interface Ready {
  readonly url: string
  readonly publicUrl: string
  readonly workerd: number
  readonly plc: string
  readonly account: FirstAccount
}

/** A server in a process of its own. */
export type BenchServer = Awaited<ReturnType<typeof startServer>>

/** Where a server keeps its data, and how it is configured. */
export interface StartOptions {
  readonly dataDir: string
  readonly port?: number
  readonly config?: string | undefined
  readonly env?: Readonly<Record<string, string>>
  readonly home?: (typeof homes)[number]
  /** The program of a server on Node; default: from its sources. */
  readonly program?: string
  readonly args?: ReadonlyArray<string>
  /** Another checkout whose server is started; it bundles itself. */
  readonly tree?: string | undefined
}

/** Waits until a server on Node answers, and creates its first account as `npm start` does. */
const readyBox = async (
  dataDir: string,
  port: number,
  isOver: () => boolean
): Promise<Omit<Ready, "workerd">> => {
  const url = `http://127.0.0.1:${port}`
  const publicUrl = `http://localhost:${port}`
  while (
    !isOver() &&
    !(await fetch(`${url}/ready`).then(
      ({ ok }) => ok,
      () => false
    ))
  ) {
    await new Promise((done) => setTimeout(done, 20))
  }
  const { ADMIN_PASSWORD: adminPassword = "" } = boxSecrets(dataDir)
  const file = join(dataDir, "account.json")
  const account = await ensureAccount({
    server: url,
    publicUrl,
    file,
    adminPassword,
    handleDomains: undefined
  })
  if (account === undefined) throw new Error(`${file} is gone`)
  return { url, publicUrl, plc: "", account }
}

const boxSecrets = (dataDir: string) => loadSecrets(join(dataDir, "nacre.env")).vars

/**
 * Starts the server and waits until it is ready.
 *
 * The child leads a process group, so `kill` ends it together with its workerd.
 */
export async function startServer({
  dataDir,
  port: given,
  config,
  env = {},
  home = "workerd",
  program,
  args = [],
  tree
}: StartOptions) {
  const output: Array<string> = []
  const port = given ?? (await freePort())
  const isBox = home === "box"
  if (isBox) boxSecrets(dataDir)
  const built = isBox || tree !== undefined ? undefined : await builtOnce(config)
  const script =
    program ?? built?.script ?? (tree === undefined ? boxScript : join(tree, "scripts/start.ts"))
  const child = fork(script, [...(built?.args ?? args)], {
    env: {
      ...process.env,
      ...built?.env,
      DATA_DIR: dataDir,
      PORT: String(port),
      ...(isBox ? { PUBLIC_URL: `http://localhost:${port}` } : {}),
      LOG_LEVEL: "error",
      RATE_LIMITS: "off",
      ...env
    },
    detached: true,
    stdio: ["ignore", "pipe", "pipe", "ipc"]
  })
  const exited = new Promise<number | null>((done) => child.once("exit", done))
  const onExit = () => kill()
  // Before the folders that it writes to are removed.
  process.prependOnceListener("exit", onExit)
  for (const stream of [child.stdout, child.stderr]) {
    stream?.on("data", (chunk) => {
      output.push(String(chunk))
      if (output.length > 200) output.shift()
    })
  }
  const kill = () => {
    try {
      if (child.pid !== undefined) process.kill(-child.pid, "SIGKILL")
    } catch {
      // It has already ended.
    }
  }
  const ready = await new Promise<Ready>((done, fail) => {
    if (isBox) {
      readyBox(dataDir, port, () => child.exitCode !== null).then(
        (known) => done({ ...known, workerd: child.pid ?? 0 }),
        fail
      )
    }
    // SAFETY: the script sends nothing else.
    else child.once("message", (message) => done(message as unknown as Ready))
    child.once("error", fail)
    exited.then((code) =>
      fail(new Error(`the server ended with ${code} before it was ready:\n${output.join("")}`))
    )
  })
  return {
    ...ready,
    output: () => output.join(""),
    exited,
    /** Kills the script and workerd immediately, without a shutdown. */
    kill: async () => {
      process.off("exit", onExit)
      kill()
      await exited
    },
    /** Stops it with a regular shutdown. */
    stop: async () => {
      process.off("exit", onExit)
      child.kill("SIGTERM")
      await exited
    }
  }
}

/** The CPU time that a process's threads have used, in milliseconds. */
export function cpuOf(pid: number): number {
  let nanoseconds = 0
  for (const thread of readdirSync(`/proc/${pid}/task`)) {
    nanoseconds += Number(
      readFileSync(`/proc/${pid}/task/${thread}/schedstat`, "utf8").split(" ", 1)[0]
    )
  }
  return nanoseconds / 1e6
}

const memoryLine = (pid: number, name: string): number => {
  try {
    const line = new RegExp(`${name}:\\s+(\\d+)`).exec(readFileSync(`/proc/${pid}/status`, "utf8"))
    return Number(line?.[1] ?? 0) / 1024
  } catch {
    return 0
  }
}

/** The resident memory of a process in MiB (0 where /proc is missing). */
export const memoryOf = (pid: number): number => memoryLine(pid, "VmRSS")

/** The most that a process has had in memory so far, in MiB. */
export const peakOf = (pid: number): number => memoryLine(pid, "VmHWM")
