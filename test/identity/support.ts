import * as Crypto from "@atproto/crypto"
import * as cborg from "cborg"
import { createHash } from "node:crypto"
import type { Fetch } from "../../src/layers/host/OutgoingFetch.ts"

/** The responses of a test's internet: by URL without its query, or by origin and path prefix. */
export type Routes = Readonly<Record<string, (request: Request) => Response | Promise<Response>>>

/** A fetch that knows only these addresses, and a record of its requests. */
export const internet = (routes: Routes) => {
  const asked: Array<string> = []
  const fetch: Fetch = async (url, init) => {
    asked.push(url)
    const route = routes[url.split("?", 1)[0] ?? ""]
    if (route === undefined) throw new TypeError(`no route to ${url}`)
    const request = new Request(url, init)
    const aborted = new Promise<never>((_, reject) =>
      init.signal?.addEventListener("abort", () => reject(new Error("aborted")), { once: true })
    )
    return await Promise.race([route(request), aborted])
  }
  return { asked, fetch }
}

/** A response that never arrives. */
export const silence = () => new Promise<Response>(() => undefined)

/** The response of a DNS-over-HTTPS service with these TXT records. */
export const txt = (...records: ReadonlyArray<string>): Response =>
  Response.json({
    Status: 0,
    Answer: records.map((data) => ({ name: "_atproto.x", type: 16, TTL: 300, data }))
  })

/** A PLC operation built with other libraries, as an oracle for ours. */
export const signedByOthers = async (
  unsigned: Readonly<Record<string, unknown>>,
  key: Crypto.Keypair
) => {
  const sig = Buffer.from(await key.sign(cborg.encode(unsigned))).toString("base64url")
  const operation = { ...unsigned, sig }
  const digest = createHash("sha256").update(cborg.encode(operation)).digest()
  const cid = `b${base32(Buffer.concat([Buffer.from([1, 0x71, 0x12, 0x20]), digest]))}`
  return { operation, cid, did: `did:plc:${base32(digest).slice(0, 24)}` }
}

const base32 = (bytes: Uint8Array): string => {
  const bits = [...bytes].map((byte) => byte.toString(2).padStart(8, "0")).join("")
  const groups = bits.match(/.{1,5}/g) ?? []
  return groups
    .map((group) => "abcdefghijklmnopqrstuvwxyz234567"[Number.parseInt(group.padEnd(5, "0"), 2)])
    .join("")
}
