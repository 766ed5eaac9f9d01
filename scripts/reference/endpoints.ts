import { schemas } from "@atproto/api"
import { methods } from "../../src/http/methods.ts"
import type { Authority } from "../../src/services/sessions/Authority.ts"
import { code, page, table } from "./page.ts"

const sessionWords = {
  full: "owner",
  privileged: "privileged session",
  standard: "session"
} as const

const authorityWords = (authority: Authority): string => {
  switch (authority.kind) {
    case "none":
      return "public"
    case "optional":
      return "public; the owner sees an inactive account too"
    case "session": {
      const app =
        authority.oauth === "no"
          ? "no app"
          : authority.oauth === "any"
            ? "any app"
            : "apps by scope"
      const others = [
        ...(authority.service === true ? ["service token"] : []),
        ...(authority.moderator === true ? ["moderator"] : [])
      ]
      return [`${sessionWords[authority.level]} (${app})`, ...others].join(", ")
    }
    case "refresh":
      return "refresh token"
    case "service":
      return "service token"
    case "admin":
      return authority.role === undefined ? "admin" : `admin, ${authority.role}`
    case "moderator":
      return authority.role === undefined ? "moderator" : `moderator, ${authority.role}`
    case "object":
      return authorityWords(authority.demands)
    case "signup":
      return "public, with an invite; a service token when moving in"
  }
}

interface Document {
  readonly id: string
  readonly defs: Readonly<Record<string, { readonly description?: string }>>
}

/** Each method's description in its lexicon. */
const purposes = new Map(
  // SAFETY: these are lexicon documents.
  (schemas as unknown as ReadonlyArray<Document>).map(({ id, defs }) => [
    id,
    defs["main"]?.description ?? ""
  ])
)

const places = { host: "Worker", account: "account" } as const

/** endpoints.md: the XRPC methods. */
export const endpoints = (): string => {
  const sorted = methods.toSorted((one, other) =>
    `${one.nsid} ${other.at}` < `${other.nsid} ${one.at}` ? -1 : 1
  )
  const rows = [...new Map(sorted.map((one) => [one.nsid, one])).values()].map(
    ({ nsid, authority, at }) => [
      code(nsid),
      authorityWords(authority),
      places[at],
      purposes.get(nsid) ?? ""
    ]
  )
  return page(
    "Endpoints",
    "Every XRPC method that the server answers itself: who may call it, where it runs, and what its lexicon says about it. *owner* is a session of the main password; *session* includes app passwords. Other methods are forwarded to the service that answers them, or answer 501 `MethodNotImplemented`. [Limits](limits.md) lists the rate limits.",
    table(["method", "who may call", "runs in", "purpose"], rows)
  )
}
