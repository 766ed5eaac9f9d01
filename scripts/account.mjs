/**
 * The first account of a local server: a did:web of its own address, which official clients resolve over http.
 */
import { existsSync, readFileSync, renameSync } from "node:fs"
import { readablePassword, writePrivate } from "./env.mjs"

/**
 * The account kept in `file`; on an empty server it is made first.
 *
 * The password is on disk before the account exists, so a kill in between loses nothing.
 *
 * @returns undefined when accounts exist but the file is gone
 */
export async function ensureAccount({ server, publicUrl, file, adminPassword, handleDomains }) {
  const kept = read(file)
  if (kept !== undefined) {
    if (kept.adminPassword !== adminPassword) {
      kept.adminPassword = adminPassword
      writePrivate(file, `${JSON.stringify(kept, null, 2)}\n`)
    }
    return kept
  }
  const pending = `${file}.pending`
  const account = read(pending) ?? firstAccount({ publicUrl, adminPassword, handleDomains })
  const repos = await call(server, "GET", "com.atproto.sync.listRepos?limit=1000")
  const made = repos.body.repos?.some(({ did }) => did === account.did) === true
  if (made && !existsSync(pending)) return undefined
  if (!made) {
    if (repos.body.repos?.length > 0 && !existsSync(pending)) return undefined
    writePrivate(pending, `${JSON.stringify(account, null, 2)}\n`)
    await createAccount(server, account)
  }
  renameSync(pending, file)
  return account
}

/** What the first account of a server is called; its DID is the did:web of the server's own address. */
export const firstAccount = ({ publicUrl, adminPassword, handleDomains }) => ({
  url: publicUrl,
  handle: `you.${domain(handleDomains)}`,
  did: `did:web:${encodeURIComponent(new URL(publicUrl).host)}`,
  password: readablePassword(),
  adminPassword
})

/** Makes an account with the administrator's authority. */
export async function createAccount(server, { url, handle, did, password, adminPassword }) {
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
  if (created.status !== 200) {
    throw new Error(
      `The first account could not be made: ${created.status} ${JSON.stringify(created.body)}`
    )
  }
}

/** One XRPC call; the body is JSON both ways. */
async function call(server, method, path, body, headers = {}) {
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

/** The first domain that handles are given out under; `.test` where none is configured. */
const domain = (handleDomains) =>
  (handleDomains ?? "")
    .split(/[\s,]+/)
    .find(Boolean)
    ?.replace(/^\./, "") ?? "test"

const read = (file) => (existsSync(file) ? JSON.parse(readFileSync(file, "utf8")) : undefined)
