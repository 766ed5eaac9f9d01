import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import * as Schema from "effect/Schema"
import { isHandle } from "../../core/lexicon/syntax.ts"
import { Opaque } from "../answers.ts"
import { Failed } from "../failure.ts"
import { ask, canAsk, choose } from "../prompts.ts"
import type { Environment } from "../host/environment.ts"

/** The choices for whom a server is for. */
export const audiences = ["me", "family", "community"] as const

/** One of them. */
export type Audience = (typeof audiences)[number]

/** The places for members' handles: the zone, or the server's host. */
export const handlePlaces = ["zone", "host"] as const

/** One of them. */
export type HandlePlace = (typeof handlePlaces)[number]

/** The domain of members' handles, and its zone on Cloudflare. */
export interface HandleSpace {
  readonly domain: string
  readonly zone: string
}

const declaredDomains = ({ section }: Pick<Environment, "section">): ReadonlyArray<string> =>
  String(section.vars?.["HANDLE_DOMAINS"] ?? "")
    .split(",")
    .map((domain) => domain.trim().replace(/^\./, ""))
    .filter((domain) => domain !== "")

/** Who the server is for; scripts without the flag get a server for one person. */
export const audienceOf = Effect.fnUntraced(function* (
  given: Option.Option<Audience>,
  environment: Pick<Environment, "section">
) {
  if (Option.isSome(given)) return given.value
  if (declaredDomains(environment).length > 0) return "family"
  if (!(yield* canAsk)) return "me"
  return yield* choose<Audience>({
    message: "Who is this server for?",
    otherwise: "--for me, --for family or --for community",
    choices: [
      { title: "Just me: the server's host name is my handle", value: "me" },
      { title: "Family and friends: everyone gets a handle on my domain", value: "family" },
      { title: "A community: the same, for people I don't all know", value: "community" }
    ]
  })
})

/** The likely zone of a host: the host without its first label, if a domain remains. */
const likelyZone = (host: string): string => {
  const above = host.split(".").slice(1).join(".")
  return isHandle(above) ? above : host
}

const zoneOf = Effect.fnUntraced(function* (given: Option.Option<string>, host: string) {
  const fits = (zone: string) => isHandle(zone) && (host === zone || host.endsWith(`.${zone}`))
  if (Option.isSome(given)) {
    if (fits(given.value)) return given.value
    return yield* new Failed({
      message: `${host} isn't a name in the zone ${given.value}`,
      next: "Name the domain as Cloudflare lists it: --zone example.com"
    })
  }
  const likely = likelyZone(host)
  if (!(yield* canAsk)) return likely
  return yield* ask({
    message: "Your domain, as Cloudflare lists it",
    otherwise: "--zone example.com",
    initial: likely,
    check: (text) => (fits(text) ? undefined : `${host} has to be a name of that domain`)
  })
})

const Wildcard = Schema.Struct({ pattern: Opaque, zone_name: Opaque })

/** The domain of members' handles in the configuration; undefined if it has none. */
export const declaredSpace = (environment: Environment, host: string): HandleSpace | undefined => {
  const [domain] = declaredDomains(environment)
  if (domain === undefined) return undefined
  const route = (environment.section.routes ?? [])
    .filter(Schema.is(Wildcard))
    .find(({ pattern }) => pattern === `*.${domain}/*`)
  return { domain, zone: route?.zone_name ?? likelyZone(host) }
}

/** The domain of members' handles; undefined if the only handle is the host itself. */
export const handleSpaceOf = Effect.fnUntraced(function* (
  audience: Audience,
  host: string,
  {
    environment,
    place,
    zone: givenZone
  }: {
    readonly environment: Environment
    readonly place: Option.Option<HandlePlace>
    readonly zone: Option.Option<string>
  }
): Effect.fn.Return<
  HandleSpace | undefined,
  Effect.Error<ReturnType<typeof zoneOf>>,
  Effect.Services<ReturnType<typeof zoneOf>>
> {
  if (audience === "me") return undefined
  const declared = declaredSpace(environment, host)
  if (declared !== undefined && Option.isNone(place) && Option.isNone(givenZone)) return declared
  const zone = yield* zoneOf(givenZone, host)
  const asked =
    zone === host || !(yield* canAsk)
      ? "zone"
      : yield* choose<HandlePlace>({
          message: "What should handles look like?",
          otherwise: "--handles zone or --handles host",
          choices: [
            { title: `alice.${zone} (Cloudflare's free certificate covers it)`, value: "zone" },
            {
              title: `alice.${host} (needs an advanced certificate, about 10 US dollars a month)`,
              value: "host"
            }
          ]
        })
  return { domain: Option.getOrElse(place, () => asked) === "host" ? host : zone, zone }
})

/** The route that serves every handle of a domain. */
export const wildcardRoute = ({ domain, zone }: HandleSpace) => ({
  pattern: `*.${domain}/*`,
  zone_name: zone
})

/** The DNS record that points every handle of a domain to the server. */
export const wildcardRecord = ({ domain, zone }: HandleSpace): string => {
  const name = domain === zone ? "*" : `*.${domain.slice(0, -zone.length - 1)}`
  return `in ${zone}, type AAAA, name ${name}, content 100::, proxied`
}
