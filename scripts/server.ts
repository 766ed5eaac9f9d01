/**
 * Serves a bundled Worker in one workerd process, through Miniflare's API.
 *
 * Requests arrive on the Worker's own socket: Miniflare's entry Worker would add 0.1 ms to each
 * and reduce the requests per second by two thirds.
 */
import type { Request, RequestInit, V4WorkerOptionsShape } from "miniflare"
import { type ChildProcess, spawn } from "node:child_process"
import diagnostics from "node:diagnostics_channel"
import { existsSync, readFileSync } from "node:fs"
import { statfs } from "node:fs/promises"
import net, { type AddressInfo } from "node:net"
import { dirname, resolve } from "node:path"
import { loadTool, type Tools } from "./project.ts"

type Miniflare = Tools["miniflare"]

/**
 * The used parts of wrangler's configuration; wrangler's own types need a package that it doesn't
 * install.
 */
interface Config {
  readonly name?: string
  readonly main?: string
  readonly vars?: Readonly<Record<string, unknown>>
  readonly definedEnvironments?: ReadonlyArray<string>
  readonly compatibility_date: string | undefined
  readonly compatibility_flags: Array<string>
  readonly migrations: unknown
  readonly exports: unknown
  readonly durable_objects: {
    readonly bindings: ReadonlyArray<{ readonly name: string; readonly class_name: string }>
  }
  readonly d1_databases: ReadonlyArray<{
    readonly binding: string
    readonly database_id?: string
    readonly database_name?: string
  }>
  readonly r2_buckets: ReadonlyArray<{ readonly binding: string; readonly bucket_name?: string }>
}

/** A local server's settings from wrangler.toml. */
export interface Wrangler {
  readonly name: string
  readonly main: string | undefined
  readonly vars: Readonly<Record<string, string>>
  readonly options: V4WorkerOptionsShape
}

/** A line of a Worker's log. */
export interface LogEntry {
  readonly level: string
  readonly message: string
}

/**
 * Reads the bindings of a wrangler.toml, and the variables for a server on this machine.
 *
 * They come from the `dev` environment if there is one, since production's data location or
 * mailer don't apply here.
 */
export async function readWrangler(path: string): Promise<Wrangler> {
  const {
    unstable_readConfig: readConfig,
    unstable_getDurableObjectClassNameToUseSQLiteMap: sqliteOf
  } = await loadTool("wrangler")
  const read = (env: string): Config => readConfig({ config: path, env }, { hideWarnings: true })
  const config = read("")
  const local = config.definedEnvironments?.includes("dev") ? read("dev") : config
  // From `exports`, or from the `migrations` of older projects.
  const sqlite: ReadonlyMap<string, boolean> = sqliteOf(config.migrations, config.exports)
  const bound = config.durable_objects.bindings
  const unbound = [...sqlite].filter(([name]) => bound.every((one) => one.class_name !== name))
  return {
    name: config.name ?? "worker",
    main: config.main,
    vars: Object.fromEntries(
      Object.entries(local.vars ?? {}).map(([name, value]) => [name, String(value)])
    ),
    options: {
      ...(config.compatibility_date === undefined
        ? {}
        : { compatibilityDate: config.compatibility_date }),
      compatibilityFlags: config.compatibility_flags,
      durableObjects: Object.fromEntries(
        bound.map(({ name, class_name: className }) => [
          name,
          { className, useSQLite: sqlite.get(className) === true }
        ])
      ),
      additionalUnboundDurableObjects: unbound.map(([className, useSQLite]) => ({
        className,
        useSQLite
      })),
      d1Databases: Object.fromEntries(
        config.d1_databases.map((one) => [
          one.binding,
          one.database_id ?? one.database_name ?? one.binding
        ])
      ),
      r2Buckets: Object.fromEntries(
        config.r2_buckets.map((one) => [one.binding, one.bucket_name ?? one.binding])
      )
    }
  }
}

/** Whether a port is free. */
export const isFree = (port: number, host = "127.0.0.1") =>
  new Promise<boolean>((answer) => {
    const probe = net.createServer()
    probe.once("error", () => answer(false))
    probe.listen(port, host, () => probe.close(() => answer(true)))
  })

/** A free port of 127.0.0.1. */
export const freePort = () =>
  new Promise<number>((answer, fail) => {
    const probe = net.createServer()
    probe.once("error", fail)
    probe.listen(0, "127.0.0.1", () => {
      // SAFETY: it listens on a port.
      const { port } = probe.address() as AddressInfo
      probe.close(() => answer(port))
    })
  })

/** Whether a process with this id runs, with the word in its command line. */
export function isRunning(pid: number, word: string): boolean {
  try {
    process.kill(pid, 0)
  } catch {
    return false
  }
  const commandLine = `/proc/${pid}/cmdline`
  return !existsSync(commandLine) || readFileSync(commandLine, "utf8").includes(word)
}

/**
 * Kills workerd when this process ends, even by SIGKILL.
 *
 * A small shell reads a pipe: a regular stop writes a line, anything else closes the pipe without
 * one.
 */
function guard(pid: number): () => void {
  if (process.platform === "win32") return () => {}
  const shell = spawn("/bin/sh", ["-c", `read -r _ && exit 0; kill -9 ${pid}`], {
    stdio: ["pipe", "ignore", "ignore"],
    detached: true
  })
  shell.on("error", () => {})
  shell.stdin.on("error", () => {})
  shell.unref()
  // SAFETY: a pipe to a child is a socket, which has `unref`.
  ;(shell.stdin as Partial<net.Socket>).unref?.()
  return () => shell.stdin.end("done\n")
}

/**
 * The Worker's outgoing requests: those to `https://<host>` of the given hosts go to programs on
 * this machine, all others to the network.
 */
const wayOut =
  (fetch: Miniflare["fetch"], hosts: ReadonlyMap<string, string>) => (request: Request) => {
    const url = new URL(request.url)
    const target = url.protocol === "https:" ? hosts.get(url.host) : undefined
    const { method, headers, body } = request
    const init: RequestInit = {
      method,
      headers,
      body,
      redirect: "manual",
      ...(body ? { duplex: "half" } : {})
    }
    return fetch(
      target === undefined ? url.href : `http://${target}${url.pathname}${url.search}`,
      init
    )
  }

/** Reports the free bytes of the data's disk to the Worker. */
const disk = (Response: Miniflare["Response"], folder: string) => async () => {
  const { bavail, bsize } = await statfs(folder)
  return new Response(String(bavail * bsize))
}

/** The server's code, place and settings. */
export interface ServeOptions {
  readonly name?: string
  readonly code: string
  readonly port: number
  readonly dataDir: string
  readonly options: V4WorkerOptionsShape
  /** Names that programs on this machine answer for, mapped to `host:port`. */
  readonly hosts?: ReadonlyMap<string, string>
  readonly bindings?: Record<string, string>
  readonly onLog?: (entry: LogEntry) => void
  readonly onPid?: (pid: number) => void
}

/** Starts workerd with one Worker. */
export async function serve({
  name = "worker",
  code,
  port,
  dataDir,
  options,
  hosts = new Map(),
  bindings = {},
  onLog,
  onPid
}: ServeOptions) {
  // Loaded lazily: it takes a second, which a rejected start doesn't need.
  const { convertV4MiniflareOptions, fetch, Log, LogLevel, Miniflare, Response } =
    await loadTool("miniflare")
  let pid: number | undefined
  let release: () => void = () => {}
  let stopping = false
  const onChild = (message: unknown) => {
    // SAFETY: the channel reports each process that Node starts.
    const { process: child } = message as { readonly process: ChildProcess }
    // Reported before the process has its final arguments.
    setImmediate(() => {
      if (child.pid === undefined || !/workerd/.test(child.spawnfile ?? "")) return
      release()
      pid = child.pid
      release = guard(pid)
      onPid?.(pid)
    })
  }
  diagnostics.subscribe("child_process", onChild)
  const miniflare = new Miniflare({
    ...convertV4MiniflareOptions({
      name,
      modules: [{ type: "ESModule", path: "main.mjs", contents: code }],
      ...options,
      ...(hosts.size > 0 ? { outboundService: wayOut(fetch, hosts) } : {}),
      bindings,
      serviceBindings: { DISK: disk(Response, dirname(resolve(dataDir))) },
      host: "127.0.0.1",
      port: 0,
      unsafeDirectSockets: [{ host: "127.0.0.1", port }],
      resourcePersistencePath: resolve(dataDir),
      cf: false,
      logRequests: false
    }),
    log: new Log(LogLevel.NONE),
    handleStructuredLogs: (entry: LogEntry) => {
      if (!stopping) (onLog ?? print)(entry)
    }
  })
  const stop = async () => {
    if (stopping) return
    stopping = true
    diagnostics.unsubscribe("child_process", onChild)
    await miniflare.dispose().catch(() => {})
    release()
  }
  try {
    await miniflare.ready
  } catch (cause) {
    await stop()
    throw cause
  }
  return {
    url: `http://127.0.0.1:${port}`,
    get pid() {
      return pid
    },
    stop
  }
}

const print = ({ level, message }: LogEntry): void => {
  const stream = level === "error" || level === "warn" ? process.stderr : process.stdout
  stream.write(`${message}\n`)
}
