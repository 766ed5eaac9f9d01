import { fork, type ChildProcess } from "node:child_process"
import { randomBytes } from "node:crypto"
import { mkdirSync, mkdtempSync, rmSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { freePort, until } from "../support/server/server.ts"

/** A mail that the reference would have sent. */
export interface Mail {
  readonly to: string
  readonly subject: string
  readonly text: string
}

/** A peer that can hold an answer. */
export interface Holding {
  /** Holds the end of the next answer to a request whose method and address contain a text. */
  hold(text: string): { readonly arrived: Promise<void>; release(): void }
}

/** The PLC directory's official implementation. */
export interface Plc extends Holding {
  readonly url: string
  stop(): Promise<void>
}

/** The reference PDS. */
export interface Reference extends Holding {
  /** Its public URL. */
  readonly publicUrl: string
  readonly adminPassword: string
  readonly mails: ReadonlyArray<Mail>
  /** Waits for the next mail to an address after `after` mails; returns its code. */
  code(to: string, after: number): Promise<string>
  /** Loses a blob, like a server with a failed disk. */
  lose(did: string, cid: string): void
  /** Its data folder and its variables. */
  readonly folder: string
  readonly variables: Readonly<Record<string, string>>
  /** Stops it as its operator does, and leaves its folder. */
  close(): Promise<void>
  stop(): Promise<void>
}

/** Starts a peer; its first message says that it is ready. */
const start = async (
  script: string,
  env: Readonly<Record<string, string>>,
  take: (message: unknown) => void = () => {}
) => {
  const output: Array<string> = []
  const child: ChildProcess = fork(join(import.meta.dirname, script), [], {
    execArgv: [],
    env: {
      PATH: process.env["PATH"],
      LOG_ENABLED: "false",
      NODE_COMPILE_CACHE: join(import.meta.dirname, "node_modules/.cache/compiled"),
      NODE_NO_WARNINGS: "1",
      ...env
    },
    stdio: ["ignore", "pipe", "pipe", "ipc"]
  })
  child.stdout?.on("data", (chunk) => output.push(String(chunk)))
  child.stderr?.on("data", (chunk) => output.push(String(chunk)))
  const exited = new Promise<void>((resolve) => child.once("exit", () => resolve()))
  const ready = await new Promise<unknown>((resolve, reject) => {
    child.once("message", resolve)
    child.once("error", reject)
    void exited.then(() => reject(new Error(`${script} did not start:\n${output.join("")}`)))
  })
  const waiting: Array<() => void> = []
  child.on("message", (message) => {
    // SAFETY: the scripts send objects.
    if ("held" in (message as object)) for (const go of waiting.splice(0)) go()
    else take(message)
  })
  const hold = (text: string) => {
    const arrived = new Promise<void>((resolve) => waiting.push(resolve))
    child.send({ hold: text })
    return { arrived, release: () => void child.send({ release: true }) }
  }
  const stop = () => {
    child.kill("SIGKILL")
    return exited
  }
  const close = () => {
    child.kill("SIGTERM")
    return exited
  }
  return { ready, stop, close, hold }
}

/** Starts npm's PLC directory server over its in-memory database. */
const startPlcPeer = async (): Promise<Plc> => {
  const { ready, stop, hold } = await start("plc.ts", {})
  // SAFETY: the script sends nothing else.
  return { url: (ready as { readonly url: string }).url, stop, hold }
}

let plc: Promise<Plc> | undefined

/** The directory of all tests of this process; it ends with the process. */
export const sharedPlc = (): Promise<Plc> => (plc ??= startPlcPeer())

let reference: Promise<Reference> | undefined

/** The reference of all tests of this process that don't stop it; it ends with the process. */
export const sharedReference = (): Promise<Reference> =>
  (reference ??= sharedPlc()
    .then(startReference)
    .then((started) => {
      process.once("exit", () => rmSync(started.folder, { recursive: true, force: true }))
      return started
    }))

/** Starts npm's reference PDS over an empty folder; its accounts' handles end in `.old.test`. */
export const startReference = async (plc: Plc): Promise<Reference> => {
  const port = await freePort()
  const folder = mkdtempSync(join(tmpdir(), "nacre-peer-"))
  mkdirSync(join(folder, "blobs"))
  const adminPassword = randomBytes(12).toString("hex")
  const mails: Array<Mail> = []
  const variables = {
    PDS_PORT: String(port),
    PDS_HOSTNAME: "localhost",
    PDS_SERVICE_DID: `did:web:localhost%3A${port}`,
    PDS_SERVICE_HANDLE_DOMAINS: ".old.test",
    PDS_DATA_DIRECTORY: folder,
    PDS_BLOBSTORE_DISK_LOCATION: join(folder, "blobs"),
    PDS_DID_PLC_URL: plc.url,
    PDS_DEV_MODE: "true",
    // Without an app view it stores no preferences; the app view is never called.
    PDS_BSKY_APP_VIEW_URL: "http://127.0.0.1:9",
    PDS_BSKY_APP_VIEW_DID: "did:web:appview.test",
    PDS_INVITE_REQUIRED: "false",
    PDS_JWT_SECRET: randomBytes(16).toString("hex"),
    PDS_DPOP_SECRET: randomBytes(32).toString("hex"),
    PDS_ADMIN_PASSWORD: adminPassword,
    PDS_PLC_ROTATION_KEY_K256_PRIVATE_KEY_HEX: "07".repeat(32)
  }
  const { stop, close, hold } = await start(
    "pds.ts",
    variables,
    // SAFETY: once ready, the script sends nothing but mails.
    (message) => mails.push((message as { readonly mail: Mail }).mail)
  )
  const codeIn = (to: string, after: number) =>
    mails
      .slice(after)
      .filter((mail) => mail.to === to)
      .flatMap(({ text }) => /\b[A-Z2-7]{5}-[A-Z2-7]{5}\b/.exec(text) ?? [])[0]
  return {
    publicUrl: `http://localhost:${port}`,
    adminPassword,
    mails,
    code: async (to, after) => {
      await until(`a code for ${to}`, () => codeIn(to, after) !== undefined)
      return codeIn(to, after)!
    },
    folder,
    variables,
    close,
    hold,
    lose: (did, cid) => rmSync(join(folder, "blobs", did, cid)),
    stop: async () => {
      await stop()
      rmSync(folder, { recursive: true, force: true })
    }
  }
}
