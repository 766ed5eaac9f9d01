/**
 * The first account of a local server: a did:web of its own address, which official clients can
 * resolve over HTTP.
 */
import { existsSync, readFileSync, renameSync } from "node:fs"
import { isLocalAddress, readablePassword, writePrivate } from "./env.ts"

/** The first account of a local server. */
export interface FirstAccount {
  readonly url: string
  readonly handle: string
  readonly did: string
  readonly password: string
  readonly adminPassword: string
}

/** The inputs for the first account. */
export interface FirstAccountOptions {
  readonly publicUrl: string
  readonly adminPassword: string
  readonly handleDomains: string | undefined
}

interface Answer {
  readonly status: number
  // SAFETY: each caller knows the method's response.
  readonly body: any
}

/**
 * Reads the account from `file`; creates it first on an empty server.
 *
 * The password is written before the account exists, so an interruption loses nothing.
 *
 * @returns undefined when accounts exist but the file is gone
 */
export async function ensureAccount({
  server,
  publicUrl,
  file,
  adminPassword,
  handleDomains
}: FirstAccountOptions & {
  readonly server: string
  readonly file: string
}): Promise<FirstAccount | undefined> {
  const kept = read(file)
  if (kept !== undefined) {
    if (kept.adminPassword !== adminPassword) {
      const renewed = { ...kept, adminPassword }
      writePrivate(file, `${JSON.stringify(renewed, null, 2)}\n`)
      return renewed
    }
    return kept
  }
  const pending = `${file}.pending`
  const begun = read(pending)
  const account = begun ?? firstAccount({ publicUrl, adminPassword, handleDomains })
  const isMade = async () => {
    const { body } = await call(server, "GET", "com.atproto.sync.listRepos?limit=1000")
    const repos: ReadonlyArray<{ readonly did: string }> = body.repos ?? []
    return { made: repos.some(({ did }) => did === account.did), others: repos.length > 0 }
  }
  const { made, others } = await isMade()
  if (begun === undefined && (made || others)) return undefined
  if (!made) {
    writePrivate(pending, `${JSON.stringify(account, null, 2)}\n`)
    await finish(server, account, begun !== undefined, async () => (await isMade()).made)
  }
  renameSync(pending, file)
  return account
}

/**
 * How long an interrupted sign-up may block this one: its names are reserved, or its events
 * aren't announced yet.
 */
const patience = 90_000

/**
 * Creates the account; waits for the remains of an earlier start that was killed during the
 * creation.
 */
async function finish(
  server: string,
  account: FirstAccount,
  wasBegun: boolean,
  isMade: () => Promise<boolean>
): Promise<void> {
  const until = Date.now() + patience
  for (let hasSaid = false; ; hasSaid = true) {
    try {
      return await createAccount(server, account)
    } catch (cause) {
      const isThere = cause instanceof AccountRefused && cause.error === "AlreadyExists"
      if (!wasBegun || !isThere || Date.now() > until) throw cause
    }
    if (!hasSaid)
      console.log(
        "The last start was interrupted while creating the account. This takes about a minute."
      )
    await new Promise((done) => setTimeout(done, 2000))
    if (await isMade()) return
  }
}

/** The server created no account; `error` is the name on the wire. */
class AccountRefused extends Error {
  readonly error: string | undefined

  constructor({ status, body }: Answer) {
    super(`Couldn't create the first account: ${status} ${JSON.stringify(body)}`)
    this.error = body.error
  }
}

/**
 * The handle and DID of a server's first account; the DID is the did:web of the server's own
 * address.
 */
export const firstAccount = ({
  publicUrl,
  adminPassword,
  handleDomains
}: FirstAccountOptions): FirstAccount => ({
  url: publicUrl,
  handle: `you.${domain(handleDomains, publicUrl)}`,
  did: `did:web:${encodeURIComponent(new URL(publicUrl).host)}`,
  password: readablePassword(),
  adminPassword
})

/** Creates an account as the administrator. */
export async function createAccount(
  server: string,
  { url, handle, did, password, adminPassword }: FirstAccount
): Promise<void> {
  const { hostname } = new URL(url)
  const created = await call(
    server,
    "POST",
    "com.atproto.server.createAccount",
    {
      handle,
      did,
      password,
      email: `you@${hostname === "localhost" ? "localhost.test" : hostname}`
    },
    { authorization: `Basic ${btoa(`admin:${adminPassword}`)}` }
  )
  if (created.status !== 200) throw new AccountRefused(created)
}

/** Makes an XRPC call with JSON bodies. */
async function call(
  server: string,
  method: string,
  path: string,
  body?: object,
  headers: Readonly<Record<string, string>> = {}
): Promise<Answer> {
  const response = await fetch(`${server}/xrpc/${path}`, {
    method,
    headers: body === undefined ? headers : { ...headers, "content-type": "application/json" },
    ...(body === undefined ? {} : { body: JSON.stringify(body) }),
    signal: AbortSignal.timeout(30_000)
  })
  const text = await response.text()
  try {
    return { status: response.status, body: JSON.parse(text) }
  } catch {
    return { status: response.status, body: { message: text } }
  }
}

/** The first domain for handles; the server's default if none is configured. */
const domain = (handleDomains: string | undefined, publicUrl: string): string =>
  (handleDomains ?? "")
    .split(/[\s,]+/)
    .find(Boolean)
    ?.replace(/^\./, "") ?? (isLocalAddress(publicUrl) ? "test" : new URL(publicUrl).hostname)

const read = (file: string): FirstAccount | undefined =>
  existsSync(file) ? JSON.parse(readFileSync(file, "utf8")) : undefined
