/**
 * Serves a bundled Worker in one workerd process, through Miniflare's API.
 *
 * Requests come in on a socket of the Worker itself: Miniflare's own entry, a Worker in front of it,
 * would add 0.1 ms to each and cost two thirds of the requests a second.
 */
import { spawn } from "node:child_process"
import diagnostics from "node:diagnostics_channel"
import { existsSync, readFileSync } from "node:fs"
import { statfs } from "node:fs/promises"
import net from "node:net"
import { dirname, resolve } from "node:path"
import { loadTool } from "./project.mjs"

/**
 * Reads the bindings of a wrangler.toml, and the variables for a server on this machine.
 *
 * These are the `dev` environment's, where there is one: production's data location or mailer are not for here.
 */
export async function readWrangler(path) {
  const {
    unstable_readConfig: readConfig,
    unstable_getDurableObjectClassNameToUseSQLiteMap: sqliteOf
  } = await loadTool("wrangler")
  const read = (env) => readConfig({ config: path, env }, { hideWarnings: true })
  const config = read("")
  const local = config.definedEnvironments?.includes("dev") ? read("dev") : config
  // Of `exports`, or of the `migrations` that older projects have.
  const sqlite = sqliteOf(config.migrations, config.exports)
  const bound = config.durable_objects.bindings
  const unbound = [...sqlite].filter(([name]) => bound.every((one) => one.class_name !== name))
  return {
    name: config.name ?? "worker",
    main: config.main,
    vars: Object.fromEntries(
      Object.entries(local.vars ?? {}).map(([name, value]) => [name, String(value)])
    ),
    options: {
      compatibilityDate: config.compatibility_date,
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
        config.d1_databases.map((one) => [one.binding, one.database_id ?? one.database_name])
      ),
      r2Buckets: Object.fromEntries(config.r2_buckets.map((one) => [one.binding, one.bucket_name]))
    }
  }
}

/** Is nobody listening there? */
export const isFree = (port, host = "127.0.0.1") =>
  new Promise((answer) => {
    const probe = net.createServer()
    probe.once("error", () => answer(false))
    probe.listen(port, host, () => probe.close(() => answer(true)))
  })

/** A port of 127.0.0.1 that nobody uses. */
export const freePort = () =>
  new Promise((answer, fail) => {
    const probe = net.createServer()
    probe.once("error", fail)
    probe.listen(0, "127.0.0.1", () => {
      const { port } = probe.address()
      probe.close(() => answer(port))
    })
  })

/** Does a process of this id run, and does its command line hold the word? */
export function isRunning(pid, word) {
  try {
    process.kill(pid, 0)
  } catch {
    return false
  }
  const commandLine = `/proc/${pid}/cmdline`
  return !existsSync(commandLine) || readFileSync(commandLine, "utf8").includes(word)
}

/**
 * Kills workerd when this process is gone, even by SIGKILL.
 *
 * A small shell waits on a pipe: an orderly stop writes a line, anything else closes it without one.
 */
function guard(pid) {
  if (process.platform === "win32") return () => {}
  const shell = spawn("/bin/sh", ["-c", `read -r _ && exit 0; kill -9 ${pid}`], {
    stdio: ["pipe", "ignore", "ignore"],
    detached: true
  })
  shell.on("error", () => {})
  shell.stdin.on("error", () => {})
  shell.unref()
  shell.stdin.unref?.()
  return () => shell.stdin.end("done\n")
}

/** The Worker's way out: requests to `https://<host>` of the given hosts go to programs of this machine, all others where they always go. */
const wayOut = (fetch, hosts) => (request) => {
  const url = new URL(request.url)
  const target = url.protocol === "https:" ? hosts.get(url.host) : undefined
  const { method, headers, body } = request
  const init = { method, headers, body, redirect: "manual", ...(body ? { duplex: "half" } : {}) }
  return fetch(target === undefined ? url : `http://${target}${url.pathname}${url.search}`, init)
}

/** Tells the Worker the free bytes of the disk that its data is on. */
const disk = (Response, folder) => async () => {
  const { bavail, bsize } = await statfs(folder)
  return new Response(String(bavail * bsize))
}

/**
 * Starts workerd with one Worker.
 *
 * `hosts`: names that programs of this machine answer for, to `host:port`.
 *
 * @param {{
 *   name?: string, code: string, port: number, dataDir: string, options: object, hosts?: Map<string, string>,
 *   bindings?: Record<string, string>, onLog?: (entry: { level: string, message: string }) => void,
 *   onPid?: (pid: number) => void
 * }} input
 */
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
}) {
  // Loaded here: it takes a second, and a start that is refused needs none of it.
  const { convertV4MiniflareOptions, fetch, Log, LogLevel, Miniflare, Response } =
    await loadTool("miniflare")
  let pid
  let release = () => {}
  let stopping = false
  const onChild = ({ process: child }) => {
    // Told before the process has its id and its arguments.
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
    handleStructuredLogs: (entry) => {
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

const print = ({ level, message }) => {
  const stream = level === "error" || level === "warn" ? process.stderr : process.stdout
  stream.write(`${message}\n`)
}
