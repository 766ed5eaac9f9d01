import { isDeepStrictEqual } from "node:util"
import * as Effect from "effect/Effect"
import * as FileSystem from "effect/FileSystem"
import * as Result from "effect/Result"
import { isJurisdiction } from "../../core/host/settings.ts"
import { Failed } from "../failure.ts"
import { type Additions, withAdditions } from "./additions.ts"
import { type HandleSpace, wildcardRoute } from "../setUp/audience.ts"
import { parseConfig } from "./configFile.ts"
import { type Environment, production } from "./environment.ts"
import { quoted } from "./toml.ts"
import { secretNamesNeeded } from "./vars.ts"

/** The wanted configuration of an environment. */
export interface Declaration {
  readonly domain: string
  /** Where members' handles live; undefined if the only handle is the host itself. */
  readonly space: HandleSpace | undefined
  /** Whether the Worker needs Cloudflare's binding for mail. */
  readonly needsMail: boolean
  readonly vars: Readonly<Record<string, string>>
  /** The id of the Cloudflare account; undefined if there is only one. */
  readonly account: string | undefined
  /** The id of the Secrets Store; undefined for secrets of the Worker. */
  readonly store: string | undefined
}

const conflict = ({ file, name }: Environment, key: string, before: unknown, wish: string) =>
  new Failed({
    message: `${file} already sets ${key} = ${JSON.stringify(before)} for ${name}, not ${quoted(wish)}. Nothing was changed`,
    next: "To change it, edit the file and run the command again."
  })

const newVars = Effect.fnUntraced(function* (environment: Environment, vars: Declaration["vars"]) {
  const there = environment.section.vars ?? {}
  const added: Record<string, string> = {}
  for (const [key, value] of Object.entries(vars)) {
    const before = there[key]
    if (before === undefined) added[key] = value
    else if (before !== value) return yield* conflict(environment, key, before, value)
  }
  return Object.keys(added).length === 0 ? {} : { vars: added }
})

/** Wrangler creates each bucket in the jurisdiction of its entry, the same as the objects'. */
const newBuckets = (environment: Environment, { DATA_LOCATION: location }: Declaration["vars"]) => {
  const { r2_buckets: buckets = [], vars = {} } = environment.section
  const isNew = vars["DATA_LOCATION"] === undefined && buckets.length > 0
  const isPlaced = buckets.some((bucket) => "jurisdiction" in bucket)
  if (!isNew || isPlaced || !isJurisdiction(location)) return {}
  return { r2_buckets: buckets.map((bucket) => ({ ...bucket, jurisdiction: location })) }
}

/** Existing routes stay; a name under workers.dev needs none. */
const newRoutes = Effect.fnUntraced(function* (
  environment: Environment,
  { domain, space }: Declaration
) {
  const { route, routes } = environment.section
  if (route !== undefined || (routes?.length ?? 0) > 0 || domain.endsWith(".workers.dev")) return {}
  if (environment.name === production && !environment.othersHaveRoutes) {
    return yield* new Failed({
      message: `An environment in ${environment.file} has no routes of its own and would inherit those of production`,
      next: "Add routes = [] to its section first."
    })
  }
  const own = { pattern: domain, custom_domain: true as const }
  return { routes: space === undefined ? [own] : [own, wildcardRoute(space)] }
})

const newAccount = Effect.fnUntraced(function* (
  environment: Environment,
  account: string | undefined
) {
  if (account === undefined || account === environment.account) return {}
  const before = environment.section.account_id
  if (before !== undefined) return yield* conflict(environment, "account_id", before, account)
  return { account_id: account }
})

/** The missing entries that bind an environment's secrets to a store. */
const bindingsTo = ({ section, worker }: Environment, store: string) =>
  secretNamesNeeded
    .filter((name) => !section.secrets_store_secrets?.some(({ binding }) => binding === name))
    .map((binding) => ({
      binding,
      store_id: store,
      // All Workers of a Cloudflare account share its store.
      secret_name: `${worker}_${binding}`
    }))

/** An environment after its secrets are bound to a store. */
export const withStore = (environment: Environment, store: string): Environment => {
  const { secrets_store_secrets: bound = [], ...section } = environment.section
  const all = [...bound, ...bindingsTo(environment, store)]
  return { ...environment, section: { ...section, secrets_store_secrets: all } }
}

const newStored = Effect.fnUntraced(function* (
  environment: Environment,
  store: string | undefined
) {
  if (store === undefined) return {}
  const bound = environment.section.secrets_store_secrets ?? []
  const other = bound.find(
    ({ binding, store_id: id }) => secretNamesNeeded.includes(binding) && id !== store
  )
  if (other !== undefined) {
    return yield* conflict(environment, `store_id of ${other.binding}`, other.store_id, store)
  }
  const added = bindingsTo(environment, store)
  return added.length === 0 ? {} : { secrets_store_secrets: added }
})

/** The binding for MAILER=cloudflare. */
const newMail = Effect.fnUntraced(function* (environment: Environment, needsMail: boolean) {
  const bound = environment.section.send_email
  if (!needsMail || bound?.some(({ name }) => name === "MAIL") === true) return {}
  if (bound === undefined) return { send_email: [{ name: "MAIL" }] }
  return yield* new Failed({
    message: `${environment.file} already binds send_email, but not as MAIL. Nothing was changed`,
    next: "Add an entry with the name MAIL, then run the command again."
  })
})

type Json = { [key: string]: unknown }

/** The parsed text; undefined if it is invalid. */
export const contentOf = (file: string, text: string): Json | undefined =>
  Result.match(parseConfig(file, text), {
    onFailure: () => undefined,
    // SAFETY: the configuration was parsed as an object before.
    onSuccess: (content) => content as Json
  })

/** An environment's section of that content. */
export const sectionIn = (content: Json | undefined, name: string): Json | undefined =>
  // SAFETY: the configuration has been read as a document before.
  (name === production ? content : (content?.["env"] as Json | undefined)?.[name]) as
    | Json
    | undefined

/** The expected content after a change: the current one with the additions. */
const expectedOf = (
  text: string,
  { file, name }: Environment,
  added: Additions
): Json | undefined => {
  const content = contentOf(file, text)
  const section = sectionIn(content, name)
  if (section === undefined) return undefined
  for (const [key, value] of Object.entries(added)) {
    const before = section[key]
    section[key] =
      key === "secrets_store_secrets" && Array.isArray(before)
        ? [...before, ...value]
        : key === "vars"
          ? { ...(before as Json | undefined), ...value }
          : value
  }
  return content
}

/** Writes a configuration in one step. */
export const writeConfig = Effect.fnUntraced(
  function* (file: string, text: string) {
    const files = yield* FileSystem.FileSystem
    const draft = `${file}.new`
    yield* files.writeFileString(draft, text)
    yield* files.rename(draft, file)
  },
  (writing, file) =>
    Effect.mapError(
      writing,
      ({ message }) => new Failed({ message: `Couldn't write ${file}: ${message}` })
    )
)

/**
 * Prepares the additions to wrangler's configuration; fails if it contradicts them. The returned
 * effect writes the file.
 *
 * Existing lines and comments stay. The new text is parsed, and only kept if it has the old and the
 * new content.
 */
export const declare = Effect.fnUntraced(function* (
  environment: Environment,
  declaration: Declaration
) {
  const { account, needsMail, store, vars } = declaration
  const files = yield* FileSystem.FileSystem
  const { file } = environment
  const added: Additions = {
    ...(yield* newRoutes(environment, declaration)),
    ...(yield* newAccount(environment, account)),
    ...(yield* newVars(environment, vars)),
    ...newBuckets(environment, vars),
    ...(yield* newMail(environment, needsMail)),
    ...(yield* newStored(environment, store))
  }
  if (Object.keys(added).length === 0) return Effect.void
  const before = yield* Effect.mapError(
    files.readFileString(file),
    ({ message }) => new Failed({ message: `Couldn't read ${file}: ${message}` })
  )
  const after = withAdditions(before, environment, added)
  if (isDeepStrictEqual(contentOf(file, after), expectedOf(before, environment, added))) {
    return writeConfig(file, after)
  }
  return yield* new Failed({
    message: `This command can't edit ${file} the way it is written. Nothing was changed`,
    next: `Add this to it yourself, for ${environment.name}:\n${JSON.stringify(added, null, 2)}`
  })
})
