import { randomBytes } from "node:crypto"
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import * as Schema from "effect/Schema"
import { nacre } from "../../../scripts/project.ts"
import { Did } from "../answers.ts"
import { readiness } from "../readiness.ts"
import { query } from "../xrpc.ts"
import { type Audience, type HandleSpace, wildcardRecord, wildcardRoute } from "./audience.ts"
import { creationOf } from "../host/database.ts"
import type { Environment } from "../host/environment.ts"
import { askCloudflare } from "../host/handing.ts"
import { secretNamesNeeded } from "../host/vars.ts"

/** The plan for a deployed server. */
export interface Plan {
  readonly audience: Audience
  readonly host: string
  /** The address to check, normally `https://<host>`. */
  readonly server: string
  /** Where members' handles live. */
  readonly space: HandleSpace | undefined
  readonly firstAccount: "new" | "existing"
  readonly recoveryKey: string | undefined
  /** Whether the database is in the right jurisdiction. */
  readonly isPlaced: boolean
}

const briefly = "5 seconds"

const unlessUnknown = <A, E, R>(asking: Effect.Effect<A, E, R>) =>
  asking.pipe(Effect.timeout(briefly), Effect.option)

/** Whether a server at an address is ready right now. */
const isReadyAt = (server: string) =>
  Effect.map(
    unlessUnknown(readiness(server)),
    (found) => Option.getOrUndefined(found)?.ready === true
  )

/** Whether a name without an account points to the server; then every handle does. */
const leadsHere = ({ domain }: HandleSpace) =>
  isReadyAt(`https://nacre-check-${randomBytes(4).toString("hex")}.${domain}`)

const hasAccounts = (server: string) =>
  unlessUnknown(
    query(
      { server },
      "com.atproto.sync.listRepos",
      Schema.Struct({ repos: Schema.Array(Schema.Struct({ did: Did })) }),
      { limit: 1 }
    )
  ).pipe(Effect.map((found) => Option.isSome(found) && found.value.repos.length > 0))

/** Whether the configuration has the route for members' handles. */
const hasRoute = ({ section }: Environment, space: HandleSpace): boolean => {
  const { pattern } = wildcardRoute(space)
  return JSON.stringify(section.routes ?? []).includes(JSON.stringify(pattern))
}

const accountStep = ({ audience, firstAccount, host, recoveryKey, server }: Plan): string => {
  const key = recoveryKey === undefined ? "" : ` --recovery-key ${recoveryKey}`
  const there = `${key} --server ${server}`
  if (firstAccount === "existing") return `${nacre} migrate <handle>${there}`
  return `${nacre} account create ${audience === "me" ? host : "<name>"} --email <address>${there}`
}

/** The remaining steps until the server is in use. */
export const stepsLeft = Effect.fn("cli.stepsLeft")(function* (
  environment: Environment,
  plan: Plan
) {
  const { words } = environment
  const { audience, server, space } = plan
  const steps: Array<string> = []
  const has = yield* askCloudflare(environment)
  const isHanded = secretNamesNeeded.every((name) => has(name) === true)
  if (!isHanded) steps.push(`${nacre} secret put${words}`)
  const creation = plan.isPlaced ? undefined : creationOf(environment)
  if (creation !== undefined) steps.push(creation)
  // A Worker without its secrets isn't in use.
  const isReady = isHanded && (yield* isReadyAt(server))
  if (space !== undefined && !hasRoute(environment, space)) {
    const { pattern, zone_name: zone } = wildcardRoute(space)
    steps.push(
      `Add to routes in ${environment.file}: { pattern = "${pattern}", zone_name = "${zone}" }`
    )
  }
  if (space !== undefined && !(isReady && (yield* leadsHere(space)))) {
    steps.push(`Add a DNS record at Cloudflare: ${wildcardRecord(space)}`)
  }
  if (!isReady) steps.push(`${nacre} deploy${words}`)
  const isUsed = isReady && (yield* hasAccounts(server))
  if (!isUsed) steps.push(accountStep(plan))
  if (audience !== "me") steps.push(`${nacre} invite create --server ${server}`)
  return steps
})
