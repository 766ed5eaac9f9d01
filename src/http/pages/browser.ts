import * as Effect from "effect/Effect"
import * as Schema from "effect/Schema"
import { Config } from "../../services/host/Config.ts"
import { readBody } from "../input.ts"

/** A page or form request that none of our pages sends. */
export class BrowserRefused extends Schema.TaggedError<BrowserRefused>()("BrowserRefused", {
  reason: Schema.Literals([
    "method",
    "not a navigation",
    "another address",
    "another site",
    "content type",
    "too large",
    "malformed",
    "no cookie",
    "csrf"
  ]),
  /** The page to reload: a path of ours, or our own address. */
  page: Schema.optional(Schema.String)
}) {}

const refused = (reason: BrowserRefused["reason"]) => new BrowserRefused({ reason })

/** Rejects other names of a local server: its forms, cookies and passkeys belong to the one in PUBLIC_URL. */
const checkAddress = Effect.fnUntraced(function* (request: Request) {
  const { isLocal, publicUrl } = yield* Config
  const { hostname, pathname, search } = new URL(request.url)
  if (!isLocal || hostname === new URL(publicUrl).hostname) return
  const page = `${publicUrl}${pathname}${search}`
  return yield* new BrowserRefused({ reason: "another address", page })
})

/**
 * Rejects requests that aren't navigations, such as those of scripts, frames and images.
 *
 * Older browsers don't send `Sec-Fetch-*`; for them the cookie's SameSite and frame-ancestors
 * apply.
 */
export const checkNavigation = Effect.fnUntraced(function* (request: Request) {
  const { method, headers } = request
  if (method !== "GET") return yield* refused("method")
  const mode = headers.get("sec-fetch-mode") ?? "navigate"
  const dest = headers.get("sec-fetch-dest") ?? "document"
  if (mode !== "navigate" || dest !== "document") return yield* refused("not a navigation")
  yield* checkAddress(request)
})

/** Whether a browser loads this as a picture on one of our own pages. */
export const isOwnPicture = ({ method, headers }: Request): boolean =>
  method === "GET" &&
  headers.get("sec-fetch-dest") === "image" &&
  headers.get("sec-fetch-site") === "same-origin"

/** Whether a form, or a script's request, was sent from a page of this server. */
export const checkSameOrigin = Effect.fnUntraced(function* ({ headers }: Request) {
  const { publicUrl } = yield* Config
  const site = headers.get("sec-fetch-site")
  const origin = headers.get("origin")
  const isOurs = origin === publicUrl && (site === null || site === "same-origin")
  if (!isOurs) return yield* refused("another site")
})

/** The fields of a form, each once. */
export type Form = ReadonlyMap<string, string>

const formLimit = 100 * 1024
const formType = "application/x-www-form-urlencoded"

/** Parses a form from one of our pages; a repeated field makes it invalid. */
export const readForm = Effect.fnUntraced(function* (request: Request) {
  yield* checkSameOrigin(request)
  const type = request.headers.get("content-type")?.split(";")[0]?.trim().toLowerCase()
  if (type !== formType) return yield* refused("content type")
  const fields = new Map<string, string>()
  const body = yield* readBody(request, formLimit).pipe(
    Effect.catchTags({ PayloadTooLarge: () => refused("too large") }, () => refused("malformed"))
  )
  for (const [name, value] of new URLSearchParams(new TextDecoder().decode(body))) {
    if (fields.has(name)) return yield* refused("malformed")
    fields.set(name, value)
  }
  return fields as Form
})

/** Whether a request comes from a browser that opens a page. */
export const wantsPage = (headers: Headers): boolean =>
  headers.get("accept")?.includes("text/html") === true
