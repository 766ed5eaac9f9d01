#!/usr/bin/env node
import { existsSync, readFileSync } from "node:fs"
import { dirname, join, resolve } from "node:path"
import { parseArgs } from "node:util"
import { ensureAccount } from "./account.ts"
import { build } from "./build.ts"
import { printLog } from "./devLog.ts"
import { configurationNames, fingerprint, loadSecrets, writePrivate } from "./env.ts"
import { sweepLocalBlobs } from "./localBlobs.ts"
import { root, startCommand, wranglerFile } from "./project.ts"
import { readWrangler, serve, type Wrangler } from "./server.ts"
import {
  formatOf,
  hostsOf,
  makeFolder,
  portOf,
  readNote,
  localAddress,
  localKey,
  refuseMove,
  refuseOtherKey,
  refuseTwice,
  tryFolder,
  varsOf,
  type Note
} from "./start/checks.ts"
import { openPlc } from "./start/directory.ts"
import { codeOf, inWords, messageOf, Refused } from "./start/failures.ts"
import { announce, waitUntilReady } from "./start/ready.ts"

const help = `${startCommand}: runs the server on this machine.

  PORT=8787          port to listen on, on 127.0.0.1
  DATA_DIR=.data     folder for accounts, blobs and the first account's password
  PLC_URL=…          PLC directory; by default a small one starts with the server, for development,
                     or https://plc.directory is used if PUBLIC_URL isn't a local address
  PUBLIC_URL=…       the server's address; default: http://localhost:<PORT>
  DEV_HOSTS=…        for development: local programs that stand in for hosts when the server fetches:
                     app.example.com=127.0.0.1:4000,…
  LOG_FORMAT=…       pretty or json; default: pretty on a terminal, json where the output is piped
  ${wrap(configurationNames)}
                     passed on to the server

You can also set all but PORT, DATA_DIR, LOG_FORMAT and DEV_HOSTS in .dev.vars, which is next to the wrangler configuration, or in DATA_DIR
if you set that. The first start creates secrets there, and saves the first account in
<DATA_DIR>/account.json.

  --config <file>    use another wrangler configuration
  --help`

try {
  await main()
} catch (cause) {
  // The message of an unusable file or an unknown argument suffices.
  const isClear = cause instanceof Refused || codeOf(cause) !== undefined
  console.error(isClear && cause instanceof Error ? inWords(cause) : cause)
  process.exit(1)
}

async function main(): Promise<void> {
  const { values } = parseArgs({
    options: {
      config: { type: "string" },
      // What reading and bundling returned, as JSON: tests start many servers.
      built: { type: "string" },
      help: { type: "boolean", short: "h", default: false }
    }
  })
  if (values.help) {
    console.log(help)
    return
  }
  const started = performance.now()
  const port = portOf(process.env["PORT"] || "8787")
  const logFormat = formatOf(process.env["LOG_FORMAT"])
  const dataDir = resolve(root, process.env["DATA_DIR"] || ".data")
  const config = resolve(values.config ?? wranglerFile())
  const varsFile = join(dataDir === join(root, ".data") ? dirname(config) : dataDir, ".dev.vars")
  const given: Record<string, string> = Object.fromEntries(
    configurationNames.flatMap((name) => {
      const value = process.env[name]
      return value ? [[name, value]] : []
    })
  )
  const known = { ...varsOf(varsFile), ...given }
  const publicUrl = (known["PUBLIC_URL"] || `http://localhost:${port}`).replace(/\/+$/, "")
  makeFolder(dataDir)
  tryFolder(join(dataDir, "state"))

  const noteFile = join(dataDir, "server.json")
  const accountFile = join(dataDir, "account.json")
  const note: Note = readNote(noteFile) ?? {}
  let isUsed =
    note.isUsed || [accountFile, `${accountFile}.pending`].some((file) => existsSync(file))
  if (isUsed) {
    refuseMove(note, publicUrl, dataDir, localAddress(note, dataDir))
    refuseOtherKey(note, known, dataDir, varsFile, localKey(dataDir))
  }
  await refuseTwice(note, port, dataDir)

  const hosts = hostsOf(process.env["DEV_HOSTS"], publicUrl)

  const { vars, added } = loadSecrets(varsFile)
  if (added.length > 0) {
    console.log(`Created ${added.join(", ")} in ${varsFile}.`)
  }

  const built: (Wrangler & { readonly code: string }) | undefined =
    values.built === undefined ? undefined : JSON.parse(readFileSync(values.built, "utf8"))
  const wrangler = built === undefined ? readWrangler(config) : Promise.resolve(built)
  const bundle =
    built === undefined
      ? wrangler.then(({ main }) => build({ entry: main }))
      : Promise.resolve(built)
  // The other promise's failure is handled where that one is awaited.
  bundle.catch(() => {})

  const plc = await openPlc(known["PLC_URL"], publicUrl, dataDir, note.plcPort)
  const { name, options, vars: declared } = await wrangler
  const bindings: Record<string, string> = {
    LOG_LEVEL: "info",
    ...declared,
    ...vars,
    ...given,
    PUBLIC_URL: publicUrl,
    PLC_URL: plc.url
  }
  const own = plc.own ? new URL(plc.url).host : undefined
  bindings["DEV_ALLOW_HOSTS"] = [own, bindings["DEV_ALLOW_HOSTS"]].filter(Boolean).join(",")

  const remember = (workerd: number | undefined): void =>
    writePrivate(
      noteFile,
      JSON.stringify(
        {
          publicUrl,
          port,
          plcPort: plc.port ?? note.plcPort,
          masterKey: fingerprint(bindings["MASTER_KEY"]),
          isUsed,
          pid: process.pid,
          workerd
        },
        null,
        2
      )
    )
  remember(undefined)
  const sweep = (isRunning: boolean) => sweepBlobs(join(dataDir, "state", "r2"), isRunning)
  await sweep(false)
  setInterval(() => void sweep(true), 6 * 3_600_000).unref()
  const show = printLog(logFormat)
  let isAnnounced = false
  const server = await serve({
    name,
    code: (await bundle).code,
    port,
    dataDir: join(dataDir, "state"),
    options,
    hosts,
    bindings,
    onLog: (entry) => {
      // Readers don't need the requests of the start itself.
      const isOwn = !isAnnounced && logFormat === "pretty" && entry.level !== "error"
      if (!isOwn) show(entry)
    },
    onPid: remember
  }).catch(async (cause) => {
    await plc.close()
    throw cause
  })

  let stopping: Promise<never> | undefined
  const stop = (code: number): Promise<never> =>
    (stopping ??= (async () => {
      await server.stop()
      await plc.close()
      process.exit(code)
    })())
  for (const signal of ["SIGINT", "SIGTERM", "SIGHUP"] as const) {
    // Miniflare's own handlers would end this process too early.
    process.removeAllListeners(signal)
    process.on(signal, () => void stop(0))
  }
  // The parent process that opened the channel (bench, soak) is gone.
  process.once("disconnect", () => void stop(0))

  try {
    await waitUntilReady(server.url)
    const account = await ensureAccount({
      server: server.url,
      publicUrl,
      file: accountFile,
      adminPassword: bindings["ADMIN_PASSWORD"] ?? "",
      handleDomains: bindings["HANDLE_DOMAINS"]
    })
    // From now on the data belongs to this address and this key; an earlier failed start doesn't
    // count.
    isUsed = true
    remember(server.pid)
    announce(account, { publicUrl, dataDir, bindings, started })
    isAnnounced = true
    process.send?.({
      type: "ready",
      url: server.url,
      publicUrl,
      workerd: server.pid,
      plc: plc.url,
      account
    })
  } catch (cause) {
    console.error(cause instanceof Error ? cause.message : cause)
    await stop(1)
  }
}

/** Deletes the remains of interrupted uploads; an unreadable store doesn't stop the server. */
async function sweepBlobs(folder: string, isRunning: boolean): Promise<void> {
  try {
    await sweepLocalBlobs(folder, { isRunning })
  } catch (cause) {
    console.warn(`Couldn't delete unfinished uploads in ${folder}: ${messageOf(cause)}`)
  }
}

function wrap(names: ReadonlyArray<string>): string {
  const lines = [""]
  for (const name of names) {
    if (`${lines.at(-1)} ${name}`.length > 80) lines.push("")
    lines[lines.length - 1] = `${lines.at(-1)} ${name}`.trim()
  }
  return lines.join("\n  ")
}
