import * as Effect from "effect/Effect"
import { Directory } from "../services/Directory.ts"
import { HostedIdentities } from "../services/HostedIdentities.ts"
import { textType } from "./responseHeaders.ts"

const text = (body: string, status = 200) =>
  new Response(body, { status, headers: { "content-type": textType } })

/**
 * `/.well-known/did.json`: the account whose did:web is the host that was asked, else the server's own document.
 *
 * Spec: did:web.
 */
export const didDocument = Effect.fn("http.didDocument")(function* (url: URL) {
  const hosted = yield* HostedIdentities
  const document = yield* hosted.documentOfHost(url.host)
  if (document === undefined) return text("Not Found", 404)
  return new Response(JSON.stringify(document), {
    headers: { "content-type": "application/did+ld+json; charset=utf-8" }
  })
})

/**
 * `/.well-known/atproto-did`: the DID of the account whose handle is the host that was asked.
 *
 * Spec: handle, HTTPS well-known method.
 */
export const atprotoDid = Effect.fn("http.atprotoDid")(function* (url: URL) {
  const directory = yield* Directory
  const entry = yield* directory.byHandle(url.hostname)
  return entry === undefined ? text("User not found", 404) : text(entry.did)
})

/** `/robots.txt`: the public methods may be crawled. */
export const robots = (): Response =>
  text("# The public methods may be crawled.\nUser-agent: *\nAllow: /\n")

/** `/.well-known/change-password`: where password managers send somebody to. Spec: W3C, A Well-Known URL for Changing Passwords. */
export const changePassword = (): Response =>
  new Response(null, { status: 302, headers: { location: "/account/password" } })
