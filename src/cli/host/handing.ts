import * as Effect from "effect/Effect"
import * as Redacted from "effect/Redacted"
import { nacre } from "../../../scripts/project.ts"
import { Failed } from "../failure.ts"
import { withStore } from "./declare.ts"
import type { Environment } from "./environment.ts"
import { signInHint } from "./signedIn.ts"
import { readVars, secretNamesKnown, secretNamesNeeded } from "./vars.ts"
import { secretNames, storeListing, wranglerTakes } from "./wrangler.ts"

/** The Secrets Store binding of an environment's secret. */
export const storedAs = ({ section }: Environment, name: string) =>
  section.secrets_store_secrets?.find(({ binding }) => binding === name)

/** Whether Cloudflare has each secret, in the Worker or its store; undefined if Cloudflare doesn't answer. */
export const askCloudflare = Effect.fnUntraced(function* (environment: Environment) {
  const bound = environment.section.secrets_store_secrets ?? []
  const stores = new Set(bound.map(({ store_id: store }) => store))
  const listings = new Map<string, string | undefined>()
  for (const store of stores) listings.set(store, yield* storeListing(store, environment))
  const ofTheWorker = secretNamesKnown.every((name) => storedAs(environment, name) !== undefined)
    ? new Set<string>()
    : yield* secretNames(environment)
  return (name: string): boolean | undefined => {
    const stored = storedAs(environment, name)
    if (stored === undefined) return ofTheWorker?.has(name)
    const words = listings.get(stored.store_id)?.split(/[^\w-]+/)
    return words?.includes(stored.secret_name)
  }
})

/** Fails instead of creating new secrets for a server that has its own: it could not read its accounts' keys with them. */
export const refuseOtherSecrets = Effect.fnUntraced(function* (
  environment: Environment,
  store?: string
) {
  const copy = yield* readVars(environment.copy)
  const lacking = secretNamesNeeded.filter((name) => (copy[name] ?? "") === "")
  if (lacking.length === 0) return
  const has = yield* askCloudflare(environment)
  // A store may still have them although no file here names them.
  const stored = store === undefined ? has : yield* askCloudflare(withStore(environment, store))
  const there = lacking.filter((name) => has(name) === true || stored(name) === true)
  if (there.length === 0) return
  return yield* new Failed({
    message: `${environment.worker} already has ${there.join(", ")} on Cloudflare, but ${environment.copy} doesn't`,
    next: `The server is already set up. Put your copy of its secrets into that file, or continue without: ${nacre} deploy${environment.words}`
  })
})

/** Uploads a secret, and replaces the Worker's own. */
export const put = (environment: Environment, name: string, value: string) => {
  const stored = storedAs(environment, name)
  const words =
    stored === undefined
      ? `secret put ${name}`
      : `secrets-store secret create ${stored.store_id} --name ${stored.secret_name} --scopes workers --remote`
  return wranglerTakes(words.split(" "), environment, Redacted.make(value))
}

/** Uploads the secrets that Cloudflare lacks; never replaces one. */
export const handOver = Effect.fnUntraced(function* (environment: Environment) {
  const has = yield* askCloudflare(environment)
  const vars = yield* readVars(environment.copy)
  const names = secretNamesKnown.filter((name) => (vars[name] ?? "") !== "")
  if (names.some((name) => has(name) === undefined)) {
    return yield* new Failed({
      message: "Couldn't check which secrets Cloudflare has, so none was uploaded",
      next: `Sign in to Cloudflare: ${yield* signInHint}\nThen run: ${nacre} secret put${environment.words}`
    })
  }
  const lacked = names.filter((name) => has(name) === false)
  for (const name of lacked) yield* put(environment, name, vars[name] ?? "")
  return { put: lacked, kept: names.filter((name) => has(name) === true) }
})
