import * as Effect from "effect/Effect"
import * as Schema from "effect/Schema"
import { isJurisdiction } from "../../core/host/settings.ts"
import { Name } from "../answers.ts"
import { Failed } from "../failure.ts"
import { note } from "../output.ts"
import type { Environment } from "./environment.ts"
import { wranglerSays } from "./wrangler.ts"

const Info = Schema.fromJsonString(
  Schema.Struct({ jurisdiction: Schema.optionalKey(Schema.NullOr(Name)) })
)

/**
 * The jurisdiction of a database: empty for an ordinary one, undefined if Cloudflare doesn't say.
 */
const jurisdictionOf = Effect.fnUntraced(function* (database: string, environment: Environment) {
  const said = yield* wranglerSays(["d1", "info", database, "--json"], environment)
  if (said.code !== 0) {
    const isMissing = /Couldn't find a D1 DB/i.test(said.stdout + said.stderr)
    return isMissing ? ("missing" as const) : undefined
  }
  return yield* Schema.decodeEffect(Info)(said.stdout).pipe(
    Effect.map(({ jurisdiction }) => (jurisdiction === null ? "none" : jurisdiction)),
    Effect.orElseSucceed(() => undefined)
  )
})

/** The jurisdiction that an environment's data must stay in, and its database. */
const wantedOf = ({ section }: Environment) => {
  const location = section.vars?.["DATA_LOCATION"]
  const database = section.d1_databases?.[0]?.database_name
  return typeof location === "string" && isJurisdiction(location) && database !== undefined
    ? { location, database }
    : undefined
}

/**
 * The command that creates an environment's database in its jurisdiction; wrangler itself would
 * create it anywhere.
 */
export const creationOf = (environment: Environment): string | undefined => {
  const wanted = wantedOf(environment)
  return wanted === undefined
    ? undefined
    : `npx wrangler d1 create ${wanted.database} --jurisdiction ${wanted.location}`
}

/**
 * Creates the database in its jurisdiction if it is missing; fails if it exists elsewhere. Returns
 * whether it exists.
 */
export const placeDatabase = Effect.fn("cli.placeDatabase")(function* (environment: Environment) {
  const wanted = wantedOf(environment)
  if (wanted === undefined) return true
  const { database, location } = wanted
  const found = yield* jurisdictionOf(database, environment)
  if (found === location) return true
  if (found === undefined) {
    yield* note(`Couldn't check where Cloudflare keeps the database ${database}.`)
    return false
  }
  if (found !== "missing") {
    return yield* new Failed({
      message: `The database ${database} isn't in the jurisdiction ${location}, where the server's other data is`,
      next:
        `If it's empty, delete it and create it again: npx wrangler d1 delete ${database}, then ${creationOf(environment)}\n` +
        "If it holds accounts, keep DATA_LOCATION as it was when they were created."
    })
  }
  const words = ["d1", "create", database, "--jurisdiction", location]
  const made = yield* wranglerSays(words, environment)
  if (made.code === 0) {
    yield* note(`Created the database ${database} in the jurisdiction ${location}.`)
    return true
  }
  return yield* new Failed({
    message: `Couldn't create the database ${database}:\n${(made.stderr + made.stdout).trim()}`,
    next: `Fix this, or create it yourself: ${creationOf(environment)}`
  })
})
