import * as Clock from "effect/Clock"
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Redacted from "effect/Redacted"
import * as Result from "effect/Result"
import { timingSafeEqual } from "node:crypto"
import { sha256 } from "../../core/repo/cid.ts"
import { Config, type Settings } from "../../services/host/Config.ts"
import {
  type AddressLimit,
  AddressLimits,
  exceededBy,
  Limiter,
  type RateLimitExceeded,
  type RateLimitState
} from "../../services/limits/Limiter.ts"
import { rateLimitHeaders } from "../responses.ts"
import { type LimitRule, rules } from "../../services/limits/rules.ts"

/** The /64 of an IPv6 address, which is one household: its first four groups. */
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

/**
 * The address that a client counts as: IPv4 completely, IPv6 by its /64; `unknown` if it is
 * missing.
 */
export const clientAddress = (request: Request): string => {
  const address = request.headers.get("cf-connecting-ip")?.trim() ?? ""
  if (address === "") return "unknown"
  const mapped = /^::ffff:(\d+\.\d+\.\d+\.\d+)$/i.exec(address)?.[1]
  return mapped ?? (address.includes(":") ? prefixOf(address) : address)
}

/** Whether the limits are off, for everyone or for a client with the bypass key. */
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

/**
 * The in-memory limits that a request counts towards, by its method's declaration; the tightest
 * last.
 */
const countedBy = (declared: ReadonlyArray<LimitRule>): ReadonlyArray<AddressLimit> => {
  if (declared.includes(rules.getRepo)) return ["getRepo"]
  return declared.includes(rules.uploadBlob) ? ["general", "uploadBlob"] : ["general"]
}

type Counting = Context.Context<Config | AddressLimits>

/** Takes points of an address's general limit. */
const take = (
  request: Request,
  which: AddressLimit,
  services: Counting,
  now: number,
  points?: number
): Result.Result<RateLimitState, RateLimitExceeded> => {
  const limits = Context.get(services, AddressLimits)
  const taken = limits.take(clientAddress(request), which, now, points)
  if ("state" in taken) return Result.succeed(taken.state)
  // On a local machine all clients share one address: requests are counted and reported but not
  // rejected.
  return Context.get(services, Config).rateLimits === "on"
    ? Result.fail(exceededBy(taken.exceeded, now))
    : Result.succeed(taken.exceeded)
}

/**
 * Counts a request towards its address's general limits, without I/O.
 *
 * Returns the headers for the response; none while the limits are off.
 */
export const countNow = (
  request: Request,
  declared: ReadonlyArray<LimitRule>,
  services: Counting,
  now: number
): Result.Result<Readonly<Record<string, string>>, RateLimitExceeded> => {
  let headers = {}
  if (isUnlimited(request, Context.get(services, Config))) return Result.succeed(headers)
  for (const which of countedBy(declared)) {
    const taken = take(request, which, services, now)
    if (Result.isFailure(taken)) return Result.fail(taken.failure)
    headers = rateLimitHeaders(taken.success)
  }
  return Result.succeed(headers)
}

/** Runs a function of the services and the current time in milliseconds. */
const withNow = <A, E, R>(
  count: (services: Context.Context<R>, now: number) => Result.Result<A, E>
) =>
  Effect.flatMap(Clock.currentTimeMillis, (now) =>
    Effect.contextWith((services: Context.Context<R>) => Effect.fromResult(count(services, now)))
  )

/** `countNow` as an effect. */
export const countRequest = (request: Request, declared: ReadonlyArray<LimitRule>) =>
  withNow((services: Counting, now) => countNow(request, declared, services, now))

/** The cost of a DID without an account, in requests: 150 of them use up an address's limit. */
const missingPoints = 20

/** Counts a DID without an account towards its client's general limit. */
export const countMissing = (request: Request) =>
  withNow((services: Counting, now) =>
    isUnlimited(request, Context.get(services, Config))
      ? Result.void
      : Result.map(take(request, "general", services, now, missingPoints), () => {})
  )

/** Takes a point of an exact rule; a rule that counts guesses needs the key of their target. */
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
 * Counts wrong administrator passwords on every route.
 *
 * Once the limit is used up the right password is rejected too, so a rejection reveals nothing.
 */
export const limitAdministrator = Effect.fnUntraced(function* (request: Request, isRight: boolean) {
  const config = yield* Config
  if (isUnlimited(request, config)) return
  const points = isRight ? 0 : 1
  const address = clientAddress(request)
  const { key, windows: limits } = rules.administrator
  yield* (yield* Limiter).take({ address, key, points, limits })
})

/** Gives a point back when a limited request turns out to be legitimate. */
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
