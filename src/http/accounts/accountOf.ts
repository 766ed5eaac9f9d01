import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import { decodePart, remembering } from "../../core/sessions/jwt.ts"
import { isByModerator } from "../../core/sessions/serviceJwt.ts"
import type { CalledUrl } from "../../core/lexicon/calledUrl.ts"
import { queryValue } from "../../core/lexicon/params.ts"
import { isDid, isHandle, normalizeHandle } from "../../core/lexicon/syntax.ts"
import { RepoNotFound } from "../../services/accounts/AccountStore.ts"
import { Denied, OAuthDenied } from "../../services/sessions/Auth.ts"
import type { Authority } from "../../services/sessions/Authority.ts"
import { Config, type Settings } from "../../services/host/Config.ts"
import { Directory } from "../../services/accounts/Directory.ts"
import { KnownAccounts } from "../../services/accounts/KnownAccounts.ts"
import { InvalidRequest } from "../../services/failures.ts"
import { isHere } from "./presence.ts"

/**
 * The account that a request is for: its `repo` or `did` parameter, or else its credential's
 * subject.
 *
 * Unverified: the account's object checks it.
 */
export const accountOf = Effect.fnUntraced(function* (
  authority: Authority,
  request: Request,
  url: URL
) {
  if (authority.kind === "none" || authority.kind === "optional")
    return yield* namedAccount(request, url)
  const claims = claimsOf(request.headers.get("authorization"))
  return yield* isForAnother(authority, claims, yield* Config)
    ? namedAccount(request, url)
    : subjectOf(request)
})

/**
 * The same account if no waiting is needed to find it: a DID that this isolate knows.
 *
 * Undefined for a moderation service's token.
 */
export const accountAtOnce = (
  authority: Authority,
  authorization: string | null,
  url: CalledUrl,
  services: Context.Context<Config | KnownAccounts>
): string | undefined => {
  const isPublic = authority.kind === "none" || authority.kind === "optional"
  const claims = isPublic ? undefined : claimsOf(authorization)
  if (isForAnother(authority, claims, Context.get(services, Config))) return undefined
  const did = isPublic ? nameIn(url) : subjectIn(claims)
  if (did === undefined || !isDid(did)) return undefined
  return Context.get(services, KnownAccounts).remembers(did) ? did : undefined
}

/** Whether a moderation service calls, for the account in a parameter. */
const isForAnother = (authority: Authority, claims: TokenClaims, config: Settings): boolean =>
  authority.kind === "session" &&
  authority.moderator === true &&
  isByModerator({ claims: claims ?? {} }, config)

/**
 * The name in the `repo` or `did` parameter: only the one in the method's lexicon, because the
 * method will answer about that one.
 */
const nameIn = (url: CalledUrl): string | undefined =>
  queryValue(url.searchParams, url.pathname.startsWith("/xrpc/com.atproto.repo.") ? "repo" : "did")

/** The DID in the `repo` or `did` parameter; resolves a handle with the directory. */
const namedAccount = Effect.fnUntraced(function* (request: Request, url: URL) {
  const name = nameIn(url)
  if (name === undefined) {
    return yield* new InvalidRequest({ message: "The parameter that names the account is missing" })
  }
  if (isDid(name)) {
    return (yield* isHere(request, name)) ? name : yield* new RepoNotFound({ did: name })
  }
  if (!isHandle(name)) return yield* new InvalidRequest({ message: `Not a DID or handle: ${name}` })
  const entry = yield* (yield* Directory).byHandle(normalizeHandle(name))
  return entry?.did ?? (yield* new RepoNotFound({ did: name }))
})

type TokenClaims = ReturnType<typeof decodePart>

/** A token's claims, whatever its scheme; decoded but not verified. */
const claimsOf = (authorization: string | null) => readClaims(authorization ?? "")

const readClaims = remembering((authorization) =>
  decodePart(authorization.trim().split(/\s+/, 2)[1]?.split(".")[1] ?? "")
)

/** The DID that claims name: `sub` of a session, `iss` of service auth. */
const subjectIn = (claims: TokenClaims): string => {
  const { sub, iss } = claims ?? {}
  return typeof sub === "string" ? sub : typeof iss === "string" ? iss.split("#", 1)[0]! : ""
}

/**
 * The account that a token names: `sub` of a session, `iss` of service auth; decoded but not
 * verified.
 */
export const subjectOf = Effect.fnUntraced(function* (request: Request) {
  const authorization = request.headers.get("authorization")
  if (authorization === null) {
    return yield* new Denied({ error: "AuthMissing", message: "Authentication Required" })
  }
  const [scheme = "", token = ""] = authorization.trim().split(/\s+/, 2)
  if (!/^(bearer|dpop)$/i.test(scheme)) {
    return yield* new Denied({
      error: "InvalidToken",
      message: "This method takes a Bearer token"
    })
  }
  const refused = (message: string) =>
    scheme.toLowerCase() === "dpop"
      ? new OAuthDenied({ error: "invalid_token", message })
      : new Denied({ error: "InvalidToken", message })
  const claims = decodePart(token.split(".")[1] ?? "")
  if (claims === undefined) return yield* refused("Malformed token")
  const did = subjectIn(claims)
  if (!isDid(did)) return yield* refused("The token names no account")
  // An account that has just moved in may have a token before this isolate knows it.
  if (yield* isHere(request, did, { fresh: true })) return did
  const message = "Account not found"
  return scheme.toLowerCase() === "dpop"
    ? yield* refused(message)
    : yield* new Denied({ error: "AccountNotFound", message })
})
