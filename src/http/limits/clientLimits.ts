import * as Effect from "effect/Effect"
import * as Redacted from "effect/Redacted"
import { timingSafeEqual } from "node:crypto"
import { sha256 } from "../../core/repo/cid.ts"
import { Config, type Settings } from "../../services/host/Config.ts"
import { type AddressLimit, AddressLimits, Limiter } from "../../services/limits/Limiter.ts"
import { administratorPassword, isAdmin } from "../../core/sessions/authorization.ts"
import { rateLimitHeaders } from "../responses.ts"
import { type LimitRule, rules } from "../../services/limits/rules.ts"

/** A /64 of IPv6 is one household: its first four groups. */
const prefixOf = (address: string): string => {
  const [head = "", tail] = address.toLowerCase().split("%")[0]!.split("::")
  const groups = head === "" ? [] : head.split(":")
  const last = tail === undefined || tail === "" ? [] : tail.split(":")
  const zeros = tail === undefined ? 0 : Math.max(0, 8 - groups.length - last.length)
  const all = [...groups, ...Array.from({ length: zeros }, () => "0"), ...last]
  return `${all
    .slice(0, 4)
    .map((group) => group.replace(/^0+(?=.)/, ""))
    .join(":")}::/64`
}

/** The address that a client is counted by: IPv4 whole, IPv6 by its /64; `unknown` where nobody tells. */
export const clientAddress = (request: Request): string => {
  const address = request.headers.get("cf-connecting-ip")?.trim() ?? ""
  if (address === "") return "unknown"
  const mapped = /^::ffff:(\d+\.\d+\.\d+\.\d+)$/i.exec(address)?.[1]
  return mapped ?? (address.includes(":") ? prefixOf(address) : address)
}

/** Whether the limits are off, for everybody or for a client that shows the bypass key. */
export const isUnlimited = (request: Request, config: Settings): boolean => {
  if (config.rateLimits === "off") return true
  const shown = request.headers.get("x-ratelimit-bypass")
  const key = config.rateLimitBypassKey
  return (
    shown !== null &&
    key !== undefined &&
    timingSafeEqual(sha256(shown), sha256(Redacted.value(key)))
  )
}

/** The limits in memory that a request counts towards, by what its method declares; the tightest last. */
const countedBy = (declared: ReadonlyArray<LimitRule>): ReadonlyArray<AddressLimit> => {
  if (declared.includes(rules.getRepo)) return ["getRepo"]
  return declared.includes(rules.uploadBlob) ? ["general", "uploadBlob"] : ["general"]
}

/**
 * Counts a request towards the general limits of its address, without any I/O.
 *
 * Answers the headers for the response; none while the limits are off.
 */
export const countRequest = Effect.fnUntraced(function* (
  request: Request,
  declared: ReadonlyArray<LimitRule>
) {
  const config = yield* Config
  if (isUnlimited(request, config)) return {}
  const limits = yield* AddressLimits
  const address = clientAddress(request)
  // On a machine of one's own, one address is everybody: counted and told, but nobody is refused.
  const counted = config.rateLimits === "on" ? limits.take : limits.count
  let headers = {}
  for (const which of countedBy(declared))
    headers = rateLimitHeaders(yield* counted(address, which))
  return headers
})

/** What a DID without an account costs, in requests: 150 of them use up an address's limit. */
const missingPoints = 20

/** Counts a DID that has no account here towards the general limit of its address. */
export const countMissing = Effect.fnUntraced(function* (request: Request) {
  const config = yield* Config
  if (isUnlimited(request, config)) return
  const limits = yield* AddressLimits
  const counted = config.rateLimits === "on" ? limits.take : limits.count
  yield* counted(clientAddress(request), "general", missingPoints)
})

/** Takes a point of a rule, exactly; a rule that counts guesses is taken by the key of what is guessed at. */
export const takePoint = Effect.fnUntraced(function* (
  request: Request,
  { key: own, windows: limits }: LimitRule,
  key = own
) {
  const config = yield* Config
  if (isUnlimited(request, config)) return {}
  const limiter = yield* Limiter
  const address = clientAddress(request)
  return rateLimitHeaders(yield* limiter.take({ address, key, points: 1, limits }))
})

/**
 * Counts wrong passwords of the administrator, whichever route they come by.
 *
 * Once the limit is used up the right password is refused too, so a refusal does not tell which one it was.
 */
export const limitAdministrator = Effect.fnUntraced(function* (request: Request) {
  const config = yield* Config
  const given = administratorPassword(request.headers.get("authorization") ?? undefined)
  if (given === undefined || isUnlimited(request, config)) return
  const points = isAdmin(given, Redacted.value(config.adminPassword)) ? 0 : 1
  const address = clientAddress(request)
  const { key, windows: limits } = rules.administrator
  yield* (yield* Limiter).take({ address, key, points, limits })
})

/** Gives a point back: what was limited turned out to be nobody's attack. */
export const givePointBack = Effect.fnUntraced(function* (
  request: Request,
  { windows: limits }: LimitRule,
  key: string
) {
  const config = yield* Config
  if (isUnlimited(request, config)) return
  const limiter = yield* Limiter
  yield* Effect.ignore(limiter.take({ address: clientAddress(request), key, points: -1, limits }))
})
