import { applyEdits, type JSONPath, modify } from "jsonc-parser"
import { isJson } from "./configFile.ts"
import { type Environment, production } from "./environment.ts"
import { quoted, withEntry, withKey } from "./toml.ts"

/** A host of the server's own, or a pattern of names in a zone. */
export type Route =
  | { readonly pattern: string; readonly custom_domain: true }
  | { readonly pattern: string; readonly zone_name: string }

/** The additions to an environment's section. */
export interface Additions {
  readonly account_id?: string
  readonly routes?: ReadonlyArray<Route>
  readonly vars?: Readonly<Record<string, string>>
  /** All buckets, when they need a jurisdiction. */
  readonly r2_buckets?: ReadonlyArray<Readonly<Record<string, unknown>>>
  readonly secrets_store_secrets?: ReadonlyArray<Readonly<Record<string, string>>>
  /** Cloudflare's binding for mail. */
  readonly send_email?: ReadonlyArray<Readonly<Record<string, string>>>
}

const inlineTable = (route: Route): string => {
  const pairs = Object.entries(route).map(
    ([key, value]) => `${key} = ${typeof value === "string" ? quoted(value) : value}`
  )
  return `{ ${pairs.join(", ")} }`
}

/** What this version's configuration has beyond that of older ones; the template has all of it. */
export interface Needs {
  /** The bucket of the nightly backups. */
  readonly bucket?: Readonly<Record<string, string>>
  /** When the platform wakes the server. */
  readonly crons?: ReadonlyArray<string>
}

/** A table of an environment, by its key there; `""` is the environment itself. */
const tableOf = (name: string, key: string): string =>
  name === production ? key : ["env", name, key].filter((part) => part !== "").join(".")

/** Sets a value of an environment in JSON with comments. */
const withValue = (text: string, name: string, path: JSONPath, value: unknown): string => {
  const formattingOptions = { insertSpaces: !/^\t/m.test(text), tabSize: 2, eol: "\n" }
  const prefix = name === production ? [] : ["env", name]
  return applyEdits(text, modify(text, [...prefix, ...path], value, { formattingOptions }))
}

const toToml = (text: string, name: string, added: Additions): string => {
  const table = (key: string) => tableOf(name, key)
  let result = text
  if (added.routes !== undefined) {
    const value = `[${added.routes.map(inlineTable).join(", ")}]`
    result = withKey(result, table(""), ["routes", value])
  }
  if (added.account_id !== undefined) {
    result = withKey(result, table(""), ["account_id", quoted(added.account_id)])
  }
  for (const [key, value] of Object.entries(added.vars ?? {})) {
    result = withKey(result, table("vars"), [key, quoted(value)])
  }
  for (const [nth, { jurisdiction }] of (added.r2_buckets ?? []).entries()) {
    const entry = ["jurisdiction", quoted(String(jurisdiction))] as const
    result = withKey(result, table("r2_buckets"), entry, nth)
  }
  for (const entry of added.secrets_store_secrets ?? []) {
    result = withEntry(result, table("secrets_store_secrets"), entry)
  }
  for (const entry of added.send_email ?? []) {
    result = withEntry(result, table("send_email"), entry)
  }
  return result
}

const toJson = (text: string, { name, section }: Environment, added: Additions): string => {
  let result = text
  const set = (path: JSONPath, value: unknown) => {
    result = withValue(result, name, path, value)
  }
  if (added.routes !== undefined) set(["routes"], added.routes)
  if (added.account_id !== undefined) set(["account_id"], added.account_id)
  for (const [key, value] of Object.entries(added.vars ?? {})) set(["vars", key], value)
  for (const [nth, { jurisdiction }] of (added.r2_buckets ?? []).entries()) {
    set(["r2_buckets", nth, "jurisdiction"], jurisdiction)
  }
  if (added.send_email !== undefined) set(["send_email"], added.send_email)
  const stored = section.secrets_store_secrets ?? []
  for (const [at, entry] of (added.secrets_store_secrets ?? []).entries()) {
    set(["secrets_store_secrets", stored.length + at], entry)
  }
  return result
}

/** The configuration's text with additions to an environment; keeps every other line and comment. */
export const withAdditions = (text: string, environment: Environment, added: Additions): string =>
  isJson(environment.file)
    ? toJson(text, environment, added)
    : toToml(text, environment.name, added)

/** The configuration's text with what an environment lacks for this version; keeps every other line and comment. */
export const withNeeds = (
  text: string,
  { file, name, section }: Environment,
  { bucket, crons }: Needs
): string => {
  let result = text
  if (isJson(file)) {
    const nth = section.r2_buckets?.length ?? 0
    if (bucket !== undefined) {
      result = withValue(
        result,
        name,
        ["r2_buckets", ...(nth === 0 ? [] : [nth])],
        nth === 0 ? [bucket] : bucket
      )
    }
    return crons === undefined ? result : withValue(result, name, ["triggers"], { crons })
  }
  if (bucket !== undefined) result = withEntry(result, tableOf(name, "r2_buckets"), bucket)
  return crons === undefined
    ? result
    : withKey(result, tableOf(name, "triggers"), ["crons", JSON.stringify(crons)])
}
