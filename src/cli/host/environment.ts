import * as Effect from "effect/Effect"
import * as FileSystem from "effect/FileSystem"
import * as Option from "effect/Option"
import * as Path from "effect/Path"
import * as Schema from "effect/Schema"
import * as Flag from "effect/cli/Flag"
import { Failed } from "../failure.ts"
import { findConfigFile, parseConfig } from "./configFile.ts"

/** The environment at the top level of wrangler's configuration. */
export const production = "production"

/** `--env`: an environment of wrangler's configuration. */
export const envFlag = Flag.String("env").pipe(
  Flag.withMetavar("name"),
  Flag.withDescription(
    "An environment of the wrangler configuration, such as staging; default: production, the top level"
  ),
  Flag.optional
)

const optional = Schema.optionalKey

/** The parts of an environment that the command reads. */
const Section = Schema.Struct({
  name: optional(Schema.String),
  account_id: optional(Schema.String),
  route: optional(Schema.Unknown),
  routes: optional(Schema.Array(Schema.Unknown)),
  vars: optional(Schema.Record(Schema.String, Schema.Unknown)),
  d1_databases: optional(Schema.Array(Schema.Struct({ database_name: optional(Schema.String) }))),
  triggers: optional(Schema.Unknown),
  send_email: optional(Schema.Array(Schema.Struct({ name: optional(Schema.String) }))),
  r2_buckets: optional(Schema.Array(Schema.Record(Schema.String, Schema.Unknown))),
  secrets_store_secrets: optional(
    Schema.Array(
      Schema.Struct({
        binding: Schema.String,
        store_id: Schema.String,
        secret_name: Schema.String
      })
    )
  )
})

const Document = Schema.Struct({
  ...Section.fields,
  env: optional(Schema.Record(Schema.String, Section))
})

/** One environment of wrangler's configuration. */
export interface Environment {
  /** The configuration's file. */
  readonly file: string
  readonly name: string
  /** The name of its Worker. */
  readonly worker: string
  /** The Cloudflare account of the deployment, if configured. */
  readonly account: string | undefined
  /** The content of its own section. */
  readonly section: typeof Section.Type
  /** Whether the platform wakes it by triggers of its own or of the top level. */
  readonly isWoken: boolean
  /**
   * Whether other environments have routes of their own; those without any would inherit the top
   * level's.
   */
  readonly othersHaveRoutes: boolean
  /** Wrangler's arguments for it. */
  readonly flag: string
  /** This command's argument for it: ` --env staging`, or none. */
  readonly words: string
  /** The file with the copy of its secrets. */
  readonly copy: string
}

const hasRoutes = ({ route, routes }: typeof Section.Type): boolean =>
  route !== undefined || routes !== undefined

const readDocument = Effect.fnUntraced(function* (file: string) {
  const files = yield* FileSystem.FileSystem
  const text = yield* Effect.mapError(
    files.readFileString(file),
    ({ message }) =>
      new Failed({
        message: `Couldn't read ${file}: ${message}`,
        next: "Run this command in the project's folder."
      })
  )
  return yield* Effect.fromResult(parseConfig(file, text)).pipe(
    Effect.flatMap(Schema.decodeUnknownEffect(Document)),
    Effect.mapError(({ message }) => new Failed({ message: `${file} is invalid: ${message}` }))
  )
})

/** The chosen environment: the named one, or production. */
export const theEnvironment = Effect.fnUntraced(function* (given: Option.Option<string>) {
  const path = yield* Path.Path
  const file = yield* findConfigFile
  const document = yield* readDocument(file)
  const environments = document.env ?? {}
  const name = Option.getOrElse(given, () => production)
  const isTop = name === production
  const section = isTop ? document : environments[name]
  if (section === undefined) {
    return yield* new Failed({
      message: `${file} has no environment ${name}`,
      next: `Environments: ${[production, ...Object.keys(environments)].join(", ")}.`
    })
  }
  const top = document.name ?? "nacre"
  return {
    file,
    name,
    worker: section.name ?? `${top}-${name}`,
    account: section.account_id ?? document.account_id,
    section,
    isWoken: (section.triggers ?? document.triggers) !== undefined,
    othersHaveRoutes: Object.values(environments).every(hasRoutes),
    flag: `--env=${isTop ? "" : name}`,
    words: isTop ? "" : ` --env ${name}`,
    copy: path.resolve(`.secrets.${name}`)
  } satisfies Environment
})
