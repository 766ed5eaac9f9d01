import * as Effect from "effect/Effect"
import { isHandle } from "../../core/lexicon/syntax.ts"
import { Config } from "../../services/host/Config.ts"
import { Directory } from "../../services/accounts/Directory.ts"
import { HostedIdentities } from "../../services/identity/HostedIdentities.ts"
import { askedAnew, briefly, textType, versioned } from "../responses.ts"

/** A name without an account now may get one at any moment. */
const missing = (body: string): Response =>
  new Response(body, {
    status: 404,
    headers: { "content-type": textType, "cache-control": "no-store" }
  })

/**
 * `/.well-known/did.json`: the document of the account whose did:web is the requested host, or else
 * the server's own.
 *
 * Spec: did:web.
 */
export const didDocument = Effect.fn("http.didDocument")(function* (request: Request, url: URL) {
  const hosted = yield* HostedIdentities
  const document = yield* hosted.documentOfHost(url.host)
  if (document === undefined) return missing("Not Found")
  return versioned(request, JSON.stringify(document), {
    "content-type": "application/did+ld+json; charset=utf-8",
    "cache-control": askedAnew
  })
})

/**
 * `/.well-known/atproto-did`: the DID of the account whose handle is the requested host.
 *
 * Spec: handle, HTTPS well-known method.
 */
export const atprotoDid = Effect.fn("http.atprotoDid")(function* (request: Request, url: URL) {
  const directory = yield* Directory
  const entry = yield* directory.byHandle(url.hostname)
  return entry === undefined
    ? missing("User not found")
    : versioned(request, entry.did, { "content-type": textType, "cache-control": askedAnew })
})

/**
 * `/tls-check?domain=`: whether a proxy should get a certificate for a name, because it is this
 * server's or an account's. The same path as on the reference PDS.
 */
export const tlsCheck = Effect.fn("http.tlsCheck")(function* (_request: Request, url: URL) {
  const domain = (url.searchParams.get("domain") ?? "").toLowerCase()
  const { host } = yield* Config
  const directory = yield* Directory
  const isServed =
    domain === host || (isHandle(domain) && (yield* directory.byHandle(domain)) !== undefined)
  return isServed
    ? new Response("ok", { headers: { "content-type": textType, "cache-control": "no-store" } })
    : missing("Not Found")
})

/** `/robots.txt`: allows crawling of the public methods. */
export const robots = (request: Request): Response =>
  versioned(request, "# The public methods may be crawled.\nUser-agent: *\nAllow: /\n", {
    "content-type": textType,
    "cache-control": briefly
  })

/**
 * `/.well-known/change-password`: where password managers send people. Spec: W3C, A Well-Known URL
 * for Changing Passwords.
 */
export const changePassword = (): Response =>
  new Response(null, { status: 302, headers: { location: "/account/password" } })
