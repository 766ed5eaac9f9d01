import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import { jurisdictions, locationHints } from "../../core/host/settings.ts"
import { isHandle } from "../../core/lexicon/syntax.ts"
import { Failed } from "../failure.ts"
import { note } from "../output.ts"
import { ask, canAsk, choose, confirm } from "../prompts.ts"
import type { Audience } from "./audience.ts"
import type { Environment } from "../host/environment.ts"
import { storedAs } from "../host/handing.ts"
import { isRemote, signInHint } from "../host/signedIn.ts"
import { secretNamesNeeded } from "../host/vars.ts"
import { cloudflareAccounts, wrangler } from "../host/wrangler.ts"

/** The places for data at Cloudflare. */
export const locations = ["anywhere", ...jurisdictions, ...locationHints] as const

/** One of them. */
export type Location = (typeof locations)[number]

const locationWords: Readonly<Record<Location, string>> = {
  anywhere: "Anywhere (chosen by Cloudflare)",
  eu: "European Union (data stays there)",
  fedramp: "United States, FedRAMP (data stays there)",
  wnam: "Western North America",
  enam: "Eastern North America",
  sam: "South America",
  weur: "Western Europe",
  eeur: "Eastern Europe",
  apac: "Asia-Pacific",
  oc: "Oceania",
  afr: "Africa",
  me: "Middle East"
}

/** The homes of a server. */
export const targets = ["local", "cloudflare", "box"] as const

/** One of them. */
export type Target = (typeof targets)[number]

/** Where the server will run. */
export const targetOf = (given: Option.Option<Target>) =>
  Option.isSome(given)
    ? Effect.succeed(given.value)
    : choose<Target>({
        message: "Where should the server run?",
        otherwise: "--target cloudflare, --target box or --target local",
        choices: [
          { title: "On Cloudflare", value: "cloudflare" },
          { title: "On a machine of mine, with a domain", value: "box" },
          { title: "On this machine, to try it out", value: "local" }
        ]
      })

/** The host name in a typed or pasted text, such as `https://pds.example.com/`. */
const hostNameIn = (text: string): string =>
  text
    .trim()
    .toLowerCase()
    .replace(/^https:\/\//, "")
    .replace(/\/+$/, "")

const domainFault = (text: string): string | undefined =>
  isHandle(hostNameIn(text)) ? undefined : "Enter a host name, such as pds.example.com"

/** The server's host name; proposes the one in wrangler.toml. */
export const domainOf = Effect.fnUntraced(function* (
  given: Option.Option<string>,
  { section }: Pick<Environment, "section">,
  audience: Audience
) {
  const declared = URL.parse(String(section.vars?.["PUBLIC_URL"]))?.hostname
  const text = Option.isSome(given)
    ? given.value
    : yield* ask({
        message:
          audience === "me"
            ? "The server's host name, which becomes your handle, such as alice.example.com"
            : "The server's host name, such as pds.example.com",
        otherwise: "--domain",
        check: domainFault,
        ...(declared === undefined ? {} : { initial: declared })
      })
  const fault = domainFault(text)
  return fault === undefined
    ? hostNameIn(text)
    : yield* new Failed({ message: `--domain ${text} isn't valid. ${fault}` })
})

/** The place for data; not asked if wrangler.toml has it, because it can't change. */
export const locationOf = Effect.fnUntraced(function* (
  given: Option.Option<Location>,
  { section }: Environment
) {
  if (Option.isSome(given)) return given.value
  const declared = locations.find((one) => one === section.vars?.["DATA_LOCATION"])
  if (declared !== undefined) return declared
  return yield* choose({
    message: "Where should data be stored? You can't change this later",
    otherwise: "--location anywhere (or eu, fedramp, weur …)",
    choices: locations.map((value) => ({ title: locationWords[value], value }))
  })
})

/** Whether the first account is new or moves here. */
export const firstAccountOf = (given: Option.Option<"new" | "existing">) =>
  Option.isSome(given)
    ? Effect.succeed(given.value)
    : choose<"new" | "existing">({
        message: "Your account",
        otherwise: "--first-account new or --first-account existing",
        choices: [
          { title: "Create a new one", value: "new" },
          { title: "Move an existing one here", value: "existing" }
        ]
      })

/** Where the secrets of a deployed server go. */
export type Keeping = "worker" | "store" | "later"

/** Whether the secrets are uploaded to Cloudflare now, and where to. */
export const keepingOf = Effect.fnUntraced(function* (
  { put, store }: { readonly put: boolean; readonly store: Option.Option<string> },
  environment: Environment
): Effect.fn.Return<
  Keeping,
  Effect.Error<ReturnType<typeof targetOf>>,
  Effect.Services<ReturnType<typeof targetOf>>
> {
  const isBound = secretNamesNeeded.some((name) => storedAs(environment, name) !== undefined)
  if (Option.isSome(store) || (put && isBound)) return "store"
  if (put) return "worker"
  if (!(yield* canAsk)) return "later"
  return yield* choose<Keeping>({
    message: "Your secrets are in a local file. Upload them to Cloudflare now?",
    otherwise: "--put, or --secrets-store <id>",
    choices: [
      ...(isBound
        ? []
        : [{ title: "Yes, as secrets of the Worker (recommended)", value: "worker" as const }]),
      { title: "Yes, to a Secrets Store of the Cloudflare account", value: "store" },
      { title: "Later", value: "later" }
    ]
  })
})

/** The id of the Secrets Store: given, already bound, or chosen from a list. */
export const storeOf = Effect.fnUntraced(function* (
  given: Option.Option<string>,
  environment: Environment
) {
  const bound = secretNamesNeeded.flatMap((name) => storedAs(environment, name)?.store_id ?? [])[0]
  if (Option.isSome(given)) return given.value
  if (bound !== undefined) return bound
  // Wrangler reports a missing store itself; the answer is unknown until then.
  yield* Effect.ignore(wrangler(["secrets-store", "store", "list", "--remote"], environment))
  return yield* ask({
    message:
      "ID of the store (to create one: npx wrangler secrets-store store create nacre --remote)",
    otherwise: "--secrets-store <id>",
    check: (text) =>
      /^[\w-]+$/.test(text) ? undefined : "An ID consists of letters, digits and hyphens"
  })
})

const asked = Effect.gen(function* () {
  const accounts = yield* cloudflareAccounts
  if (accounts !== undefined || !(yield* canAsk)) return accounts
  yield* note("You aren't signed in to Cloudflare.")
  if (yield* isRemote) {
    yield* note(`Sign in: ${yield* signInHint}`)
    return undefined
  }
  if (!(yield* confirm("Sign in now? This opens a browser", { yes: false, initial: true }))) {
    return undefined
  }
  yield* wrangler(["login"])
  return yield* cloudflareAccounts
})

/** The id of the Cloudflare account if wrangler knows several; undefined otherwise. */
export const cloudflareAccountOf = Effect.fnUntraced(function* (
  given: Option.Option<string>,
  environment: Environment
) {
  if (Option.isNone(given) && (environment.account !== undefined || !(yield* canAsk))) {
    return environment.account
  }
  const accounts = (yield* asked) ?? []
  if (Option.isSome(given)) {
    const found = accounts.find(({ id, name }) => id === given.value || name === given.value)
    if (found !== undefined || accounts.length === 0) return found?.id ?? given.value
    return yield* new Failed({
      message: `You don't have access to a Cloudflare account ${given.value}`,
      next: `Your accounts: ${accounts.map(({ id, name }) => `${name} (${id})`).join(", ")}`
    })
  }
  if (accounts.length < 2) return undefined
  return yield* choose({
    message: "Which Cloudflare account?",
    otherwise: "--cloudflare-account <id>",
    choices: accounts.map(({ id, name }) => ({ title: `${name} (${id})`, value: id }))
  })
})
