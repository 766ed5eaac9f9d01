#!/usr/bin/env node
import "./node22.mjs"
import { existsSync, mkdirSync, readFileSync, rmSync, renameSync, writeFileSync } from "node:fs"
import { dirname, join, resolve } from "node:path"
import { parseArgs } from "node:util"
import { ensureAccount } from "./account.mjs"
import { build } from "./build.mjs"
import { isInstalled, root, startCommand, wranglerFile } from "./project.mjs"
import {
  configurationNames,
  fingerprint,
  isLocalAddress,
  loadSecrets,
  parseVars,
  strayLines,
  writePrivate
} from "./env.mjs"
import { logFormats, printLog } from "./devLog.mjs"
import { sweepLocalBlobs } from "./localBlobs.mjs"
import { freePort, isFree, isRunning, readWrangler, serve } from "./server.mjs"

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

class Refused extends Error {}

try {
  await main()
} catch (cause) {
  // The message of an unusable file or an unknown argument suffices.
  const isClear = cause instanceof Refused || typeof cause?.code === "string"
  console.error(isClear ? inWords(cause) : cause)
  process.exit(1)
}

/** A failure's message for people: which folder is full or not writable, and what to do. */
function inWords({ code, message }) {
  const folder = resolve(root, process.env["DATA_DIR"] || ".data")
  if (code === "ENOSPC") return `The disk of ${folder} is full. Free some space and start again.`
  if (code === "EROFS" || code === "EACCES") {
    return `Couldn't write to ${folder} (${message}). Choose another folder with DATA_DIR.`
  }
  return message
}

async function main() {
  const { values } = parseArgs({
    options: {
      config: { type: "string" },
      // The results of reading and bundling as JSON, which tests pass in because they start many
      // servers.
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
  const given = Object.fromEntries(
    configurationNames.filter((name) => process.env[name]).map((name) => [name, process.env[name]])
  )
  const known = { ...varsOf(varsFile), ...given }
  const publicUrl = (known.PUBLIC_URL || `http://localhost:${port}`).replace(/\/+$/, "")
  makeFolder(dataDir)
  tryFolder(join(dataDir, "state"))

  const noteFile = join(dataDir, "server.json")
  const accountFile = join(dataDir, "account.json")
  const note = readJson(noteFile) ?? {}
  let isUsed =
    note.isUsed || [accountFile, `${accountFile}.pending`].some((file) => existsSync(file))
  if (isUsed) {
    refuseMove(note, publicUrl, dataDir)
    refuseOtherKey(note, known.MASTER_KEY, dataDir, varsFile)
  }
  await refuseTwice(note, port, dataDir)

  const hosts = hostsOf(process.env["DEV_HOSTS"], publicUrl)

  const { vars, added } = loadSecrets(varsFile)
  if (added.length > 0) {
    console.log(`Created ${added.join(", ")} in ${varsFile}.`)
  }

  const built =
    values.built === undefined ? undefined : JSON.parse(readFileSync(values.built, "utf8"))
  const wrangler = built === undefined ? readWrangler(config) : Promise.resolve(built)
  const bundle =
    built === undefined
      ? wrangler.then(({ main }) => build({ entry: main }))
      : Promise.resolve(built)
  // The other promise's failure is handled where that one is awaited.
  bundle.catch(() => {})

  const plc = await openPlc(known.PLC_URL, publicUrl, dataDir, note.plcPort)
  const { name, options, vars: declared } = await wrangler
  const bindings = {
    LOG_LEVEL: "info",
    ...declared,
    ...vars,
    ...given,
    PUBLIC_URL: publicUrl,
    PLC_URL: plc.url
  }
  bindings.DEV_ALLOW_HOSTS = [plc.own ? new URL(plc.url).host : undefined, bindings.DEV_ALLOW_HOSTS]
    .filter(Boolean)
    .join(",")

  const remember = (workerd) =>
    writePrivate(
      noteFile,
      JSON.stringify(
        {
          publicUrl,
          port,
          plcPort: plc.port ?? note.plcPort,
          masterKey: fingerprint(bindings.MASTER_KEY),
          isUsed,
          pid: process.pid,
          workerd
        },
        null,
        2
      )
    )
  remember(undefined)
  const sweep = (isRunning) => sweepBlobs(join(dataDir, "state", "r2"), isRunning)
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
      // What the start itself asks of the server is nothing for people.
      const isOwn = !isAnnounced && logFormat === "pretty" && entry.level !== "error"
      if (!isOwn) show(entry)
    },
    onPid: remember
  }).catch(async (cause) => {
    await plc.close()
    throw cause
  })

  let stopping
  const stop = (code) =>
    (stopping ??= (async () => {
      await server.stop()
      await plc.close()
      process.exit(code)
    })())
  for (const signal of ["SIGINT", "SIGTERM", "SIGHUP"]) {
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
      adminPassword: bindings.ADMIN_PASSWORD,
      handleDomains: bindings.HANDLE_DOMAINS
    })
    // From now on the data belongs to this address and this key; an earlier failed start doesn't
    // count.
    isUsed = true
    remember(server.pid)
    announce(account, publicUrl, dataDir, bindings, started)
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
async function sweepBlobs(folder, isRunning) {
  try {
    await sweepLocalBlobs(folder, { isRunning })
  } catch (cause) {
    console.warn(`Couldn't delete unfinished uploads in ${folder}: ${cause.message}`)
  }
}

/** The log's form; fails if it is unknown. */
function formatOf(text) {
  if (logFormats.includes(text)) return text
  if (!text) return process.stdout.isTTY ? "pretty" : "json"
  throw new Refused(`LOG_FORMAT must be pretty or json, not "${text}".`)
}

/** The port as a number; fails if it is invalid. */
function portOf(text) {
  const port = Number(text)
  if (Number.isInteger(port) && port > 0 && port < 65536) return port
  throw new Refused(`PORT must be a number between 1 and 65535, not "${text}".`)
}

/** The variables of a file; fails for a malformed line, which is most likely a mistake. */
function varsOf(file) {
  let text = ""
  try {
    text = existsSync(file) ? readFileSync(file, "utf8") : ""
  } catch (cause) {
    throw new Refused(`Couldn't read ${file}: ${cause.message}`)
  }
  for (const line of strayLines(text)) {
    console.warn(`Ignored line ${line} of ${file}: it isn't NAME=value.`)
  }
  return parseVars(text)
}

function makeFolder(folder) {
  try {
    mkdirSync(folder, { recursive: true, mode: 0o700 })
  } catch (cause) {
    throw new Refused(`Couldn't use ${folder} as the data folder: ${cause.message}`)
  }
}

/** Fails if the folder isn't writable: the server would only return errors. */
function tryFolder(folder) {
  makeFolder(folder)
  const probe = join(folder, ".writable")
  try {
    writeFileSync(probe, "")
    rmSync(probe)
  } catch (cause) {
    throw cause?.code === "ENOSPC"
      ? cause
      : new Refused(`Couldn't write to ${folder}: ${cause.message}`)
  }
}

/** The hosts of DEV_HOSTS; fails if they are invalid. */
function hostsOf(text, publicUrl) {
  const entries = (text ?? "").split(",").filter((entry) => entry.trim() !== "")
  if (entries.length > 0 && !isLocalAddress(publicUrl)) {
    throw new Refused(
      "DEV_HOSTS is for development and doesn't work while PUBLIC_URL is a public address."
    )
  }
  return new Map(
    entries.map((entry) => {
      const match = /^\s*([a-z0-9.-]+)=((?:127\.0\.0\.1|localhost):\d+)\s*$/.exec(entry)
      if (match !== null) return [match[1], match[2]]
      throw new Refused(
        `DEV_HOSTS must be host=127.0.0.1:port entries, separated by commas, not "${entry}".`
      )
    })
  )
}

/** The first account's DID contains the address, so data can't be served at another address. */
function refuseMove(note, publicUrl, dataDir) {
  if (note.publicUrl === undefined || note.publicUrl === publicUrl) return
  throw new Refused(
    `The data in ${dataDir} belongs to ${note.publicUrl}, but this start uses ${publicUrl}.\n` +
      "The address is part of the first account's DID (did:web), so it can't change.\n" +
      `Start with the old address (PORT=${note.port ?? "…"}), or with an empty folder: DATA_DIR=${dataDir}-2 ${startCommand}`
  )
}

/** The accounts' keys are encrypted with the master key and can't sign with another one. */
function refuseOtherKey(note, masterKey, dataDir, varsFile) {
  if (note.masterKey === undefined || note.masterKey === fingerprint(masterKey)) return
  throw new Refused(
    `The data in ${dataDir} was created with another MASTER_KEY than the one in ${varsFile}.\n` +
      "Without it, the server can't read the accounts' signing keys, and nobody can post.\n" +
      `Restore the old .dev.vars, or start with an empty folder: DATA_DIR=${dataDir}-2 ${startCommand}`
  )
}

/** Ends the processes of a killed start; fails next to a running server or an occupied port. */
async function refuseTwice(note, port, dataDir) {
  if (
    note.pid !== undefined &&
    note.pid !== process.pid &&
    isRunning(note.pid, isInstalled ? "nacre" : "start.mjs")
  ) {
    throw new Refused(
      `A server is already running on the data in ${dataDir} (process ${note.pid}, ${note.publicUrl}).`
    )
  }
  if (note.workerd !== undefined && isRunning(note.workerd, "workerd")) {
    process.kill(note.workerd, "SIGKILL")
  }
  for (let tries = 0; !(await isFree(port)); tries++) {
    if (tries === 20) {
      throw new Refused(
        `Another program is using port ${port} of 127.0.0.1. Stop it, or choose another port\n` +
          `and data folder: PORT=${port + 1} DATA_DIR=.data-${port + 1} ${startCommand}`
      )
    }
    await new Promise((done) => setTimeout(done, 100))
  }
}

/**
 * The PLC directory in PLC_URL, or a local one whose log is stored with the data.
 *
 * A publicly reachable address gets the public directory, since others couldn't resolve local DIDs.
 */
async function openPlc(given, publicUrl, dataDir, lastPort) {
  const url = given || (isLocalAddress(publicUrl) ? undefined : "https://plc.directory")
  if (url) return { url, own: false, port: undefined, close: async () => {} }
  const { startPlc } = await import("./plc.mjs")
  const port = lastPort !== undefined && (await isFree(lastPort)) ? lastPort : await freePort()
  const plc = await startPlc({ port, file: join(dataDir, "plc.json") })
  return { url: plc.url, own: true, port: plc.port, close: plc.close }
}

/**
 * Polls /ready until the server is ready; reports an invalid configuration immediately, in the
 * server's words.
 */
async function waitUntilReady(url) {
  let last = "no answer"
  const until = performance.now() + 20_000
  while (performance.now() < until) {
    const answer = await askReady(url)
    if (answer.ready === true) return
    if (answer.problems !== undefined) {
      const lines = answer.problems.map(({ variable, message }) => `  ${variable} ${message}`)
      throw new Error(`The configuration is invalid:\n${lines.join("\n")}`)
    }
    last = answer.text
    await new Promise((done) => setTimeout(done, 50))
  }
  throw new Error(`The server didn't become ready: ${last}`)
}

/** The response of /ready, or the reason for its absence. */
async function askReady(url) {
  try {
    const response = await fetch(`${url}/ready`, { signal: AbortSignal.timeout(10_000) })
    const text = await response.text()
    return { ...JSON.parse(text), text: `${response.status} ${text}` }
  } catch (cause) {
    return { text: String(cause) }
  }
}

function announce(account, publicUrl, dataDir, bindings, started) {
  const seconds = ((performance.now() - started) / 1000).toFixed(1)
  console.log(`\nNacre is ready (${seconds} s)\n`)
  const lines = [["URL", publicUrl]]
  if (account !== undefined) {
    lines.push(["Handle", account.handle], ["DID", account.did], ["Password", account.password])
  }
  lines.push(["Admin", `admin / ${bindings.ADMIN_PASSWORD}`], ["Data", dataDir])
  lines.push(["PLC", bindings.PLC_URL])
  for (const [label, value] of lines) console.log(`  ${label.padEnd(10)}${value}`)
  if (account === undefined) {
    console.log(
      `\n  There are accounts, but ${join(dataDir, "account.json")} is gone, and with it the first account's password.`
    )
  }
  console.log("\nStop with Ctrl-C.\n")
}

function readJson(file) {
  if (!existsSync(file)) return undefined
  try {
    return JSON.parse(readFileSync(file, "utf8"))
  } catch {
    renameSync(file, `${file}.broken`)
    rmSync(`${file}.new`, { force: true })
    return undefined
  }
}

function wrap(names) {
  const lines = [""]
  for (const name of names) {
    if (`${lines.at(-1)} ${name}`.length > 80) lines.push("")
    lines[lines.length - 1] = `${lines.at(-1)} ${name}`.trim()
  }
  return lines.join("\n  ")
}
