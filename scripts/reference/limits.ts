import { routes } from "../../src/http/host.ts"
import { methods } from "../../src/http/methods.ts"
import { type Counted, type LimitRule, rules } from "../../src/services/limits/rules.ts"
import { bytesPerPoint, pointsFor, writeLimits } from "../../src/services/repo/write/points.ts"
import { code, page, table } from "./page.ts"

const countedWords: { readonly [C in Counted]: string } = {
  isolate: "requests of an address, in memory",
  address: "requests of an address",
  guess: "failures at one account from one address",
  account: "the account"
}

const windowWords = (seconds: number): string =>
  seconds === 86_400 ? "a day" : seconds === 3600 ? "an hour" : `${seconds / 60} minutes`

const allowed = ({ windows }: LimitRule): string =>
  windows
    .map(
      ({ limit, windowSeconds }) => `${limit.toLocaleString("en")} in ${windowWords(windowSeconds)}`
    )
    .join(", ")

/** The declarations of a limit: methods by NSID, routes by path. */
export const declarers = (rule: LimitRule): ReadonlyArray<string> => [
  ...new Set([
    ...methods.filter(({ limits }) => limits?.includes(rule)).map(({ nsid }) => nsid),
    ...routes.filter(({ limits }) => limits.includes(rule)).map(({ path }) => path)
  ])
]

/** limits.md: the rate limits. */
export const limits = (): string =>
  page(
    "Limits",
    "Every rate limit. A request over a limit gets 429 `RateLimitExceeded` with `retry-after`. An IPv6 address counts by its /64. `RATE_LIMITS` and `RATE_LIMIT_BYPASS_KEY` of the [configuration](configuration.md) open them.",
    table(
      ["limit", "counts", "allows", "applies to"],
      Object.entries(rules).map(([name, rule]) => [
        code(name),
        countedWords[rule.per],
        allowed(rule),
        name === "general" ? "every request" : declarers(rule).map(code).join(", ")
      ])
    ),
    `An account also spends points on writes: ${pointsFor.create} for a create, ${pointsFor.update} for an update, ${pointsFor.delete} for a delete, and at least one for each ${bytesPerPoint.toLocaleString("en")} bytes of a commit. It may spend ${writeLimits.hour.toLocaleString("en")} in an hour and ${writeLimits.day.toLocaleString("en")} in a day.`
  )
