/** Starts both servers of a comparison, each in a process of its own over an empty folder. */
import { fork } from "node:child_process"
import { randomBytes } from "node:crypto"
import { join } from "node:path"
import { freePort } from "../scripts/server.ts"
import { type BenchAccount, openAccount } from "./account.ts"
import type { Connection } from "./http.ts"
import { startServer, temporaryFolder } from "./server.ts"

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
  readonly startMillis: number
  readonly account: BenchAccount
  readonly clients: ReadonlyArray<Connection>
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

const withClients = async (side: Omit<Side, "account" | "clients">, did: string): Promise<Side> => {
  const account = await openAccount({
    url: side.url,
    // SAFETY: only these two are read.
    account: { did, password } as Parameters<typeof openAccount>[0]["account"]
  })
  const clients = await Promise.all(Array.from({ length: 8 }, () => account.connect()))
  return { ...side, account, clients }
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
export const startReference = async (options: Peers): Promise<Side> => {
  const { folder, remove } = temporaryFolder("reference")
  const plc = await startPeer(options, "plc.mjs", {})
  const port = await freePort()
  const url = `http://127.0.0.1:${port}`
  const from = performance.now()
  const pds = await startPeer(options, "pds.mjs", {
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
    PDS_JWT_SECRET: randomBytes(16).toString("hex"),
    PDS_DPOP_SECRET: randomBytes(32).toString("hex"),
    PDS_ADMIN_PASSWORD: "administrator",
    PDS_PLC_ROTATION_KEY_K256_PRIVATE_KEY_HEX: "07".repeat(32)
  })
  await healthy(url)
  const startMillis = performance.now() - from
  const did = await signUp(url, {}, { handle: "bench.bench.test" })
  const stop = async () => {
    await pds.stop()
    await plc.stop()
    remove()
  }
  return withClients({ name: "reference", url, pid: pds.pid, startMillis, stop }, did)
}

/** Nacre as `nacre serve` runs it. */
export const startNacre = async (): Promise<Side> => {
  const { folder, remove } = temporaryFolder("box")
  const port = await freePort()
  // Its folder, secrets and first account exist at the start that counts, as the reference's do.
  const first = await startServer({ dataDir: folder, port, home: "box" })
  await first.stop()
  const from = performance.now()
  const starting = startServer({ dataDir: folder, port, home: "box" })
  await healthy(`http://127.0.0.1:${port}`)
  const startMillis = performance.now() - from
  const server = await starting
  const account = await openAccount(server)
  const clients = await Promise.all(Array.from({ length: 8 }, () => account.connect()))
  const stop = async () => {
    await server.stop()
    remove()
  }
  const { url, workerd: pid } = server
  return { name: "Nacre", url, pid, startMillis, account, clients, stop }
}
