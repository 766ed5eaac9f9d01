import { exports as entrypoints } from "cloudflare:workers"
import type { Problem } from "../../services/host/Config.ts"
import type { Env } from "../Cloudflare.ts"

/** The classes of the server's objects, by binding name. */
const classes = { ACCOUNT: "Account", SEQUENCER: "Sequencer", LIMITER: "Limiter" } as const

const stores = {
  DIRECTORY: 'is missing: bind a D1 database under this name, in "d1_databases"',
  BLOBS: 'is missing: bind an R2 bucket under this name, in "r2_buckets"'
} as const

/** The Worker's export as the platform provides it: a class with its own storage is a namespace. */
// SAFETY: the platform's type is empty if the project doesn't declare its exports.
const exported = (name: string): unknown =>
  (entrypoints as Readonly<Record<string, unknown>> | undefined)?.[name]

// A class without storage is also listed, but has none of these methods.
const isNamespace = (value: unknown): value is DurableObjectNamespace =>
  value !== null &&
  (typeof value === "object" || typeof value === "function") &&
  "idFromName" in value &&
  typeof value.idFromName === "function"

/** The server's bindings: those of the environment, plus exported classes for unbound objects. */
export const bindingsOf = (env: Readonly<Record<string, unknown>>): Env => {
  const objects = Object.entries(classes).map(([binding, name]) => [binding, exported(name)])
  // SAFETY: `missingBindings` reports missing ones, and then nothing is served.
  return { ...Object.fromEntries(objects), ...env } as unknown as Env
}

const problemOfObject = (binding: keyof typeof classes, value: unknown): Array<Problem> => {
  if (isNamespace(value)) return []
  const variable = classes[binding]
  const message =
    exported(variable) === undefined
      ? `is not exported by this Worker: add  export { ${variable} } from "nacre"  to its entry`
      : `has no storage: add  "${variable}": { "type": "durable-object", "storage": "sqlite" }  to "exports" in wrangler.jsonc`
  return [{ variable, message }]
}

/**
 * The server's missing bindings, with the line to add for each; `brings` names those that its own
 * layers replace.
 */
export const missingBindings = (
  env: Env,
  { brings = [] }: { readonly brings?: ReadonlyArray<string> } = {}
): ReadonlyArray<Problem> => [
  ...problemOfObject("ACCOUNT", env.ACCOUNT),
  ...problemOfObject("SEQUENCER", env.SEQUENCER),
  ...problemOfObject("LIMITER", env.LIMITER),
  ...Object.entries(stores).flatMap(([variable, message]) =>
    env[variable] === undefined && !brings.includes(variable) ? [{ variable, message }] : []
  )
]
