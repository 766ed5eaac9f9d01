import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import * as Path from "effect/Path"
import * as Redacted from "effect/Redacted"
import * as Command from "effect/cli/Command"
import * as Flag from "effect/cli/Flag"
import { isHandle } from "../../lexicon/syntax.ts"
import { Failed } from "../failure.ts"
import { note, report } from "../output.ts"
import { ask, canAsk, choose, confirm } from "../prompts.ts"
import { makeRecoveryKey, saveRecoveryKey } from "../recoveryKey.ts"
import { declareServer } from "./toml.ts"
import { makeSecrets, readVars, secretNamesNeeded, setVars, varsFile } from "./vars.ts"
import { putSecret } from "./wrangler.ts"

const locations = [
  "anywhere",
  "eu",
  "fedramp",
  "wnam",
  "enam",
  "sam",
  "weur",
  "eeur",
  "apac",
  "oc",
  "afr",
  "me"
] as const

type Target = "local" | "cloudflare"

const flags = {
  target: Flag.Literals("target", ["local", "cloudflare"]).pipe(
    Flag.withDescription("A server on this machine, or one on Cloudflare"),
    Flag.optional
  ),
  domain: Flag.String("domain").pipe(
    Flag.withDescription("The server's own host name, such as pds.example.com"),
    Flag.optional
  ),
  location: Flag.Literals("location", locations).pipe(
    Flag.withDescription("Where Cloudflare keeps the data; cannot be changed later"),
    Flag.optional
  ),
  account: Flag.Literals("first-account", ["new", "existing"]).pipe(
    Flag.withDescription("Whether the first account is a new one, or one that moves here"),
    Flag.optional
  ),
  recoveryKey: Flag.String("recovery-key").pipe(
    Flag.withMetavar("file or none"),
    Flag.withDescription("A new file for your recovery key; none to do without"),
    Flag.optional
  ),
  put: Flag.Boolean("put").pipe(
    Flag.withDescription("Hand the secrets to Cloudflare at once (wrangler secret put)"),
    Flag.withDefault(false)
  )
}

const targetOf = (given: Option.Option<Target>) =>
  Option.isSome(given)
    ? Effect.succeed(given.value)
    : choose<Target>({
        message: "Where shall the server run?",
        otherwise: "--target local or --target cloudflare",
        choices: [
          { title: "On Cloudflare", value: "cloudflare" },
          { title: "On this machine, to try it", value: "local" }
        ]
      })

const domainFault = (text: string): string | undefined =>
  isHandle(text) ? undefined : "A host name such as pds.example.com, without https://"

const domainOf = Effect.fnUntraced(function* (given: Option.Option<string>) {
  const text = Option.isSome(given)
    ? given.value
    : yield* ask({
        message: "The server's own host name (pds.example.com)",
        otherwise: "--domain",
        check: domainFault
      })
  const domain = text.toLowerCase()
  const fault = domainFault(domain)
  return fault === undefined
    ? domain
    : yield* new Failed({ message: `${text} will not do: ${fault}` })
})

const locationOf = (given: Option.Option<(typeof locations)[number]>) =>
  Option.isSome(given)
    ? Effect.succeed(given.value)
    : choose({
        message: "Where shall the data lie? This cannot be changed later",
        otherwise: "--location anywhere (or eu, fedramp, weur …)",
        choices: [
          { title: "Wherever it is nearest", value: "anywhere" as const },
          { title: "In the European Union, by law", value: "eu" as const },
          ...locations
            .filter((one) => one !== "anywhere" && one !== "eu")
            .map((value) => ({ title: value, value }))
        ]
      })

/** Fails where there are secrets already: a server's master key is never replaced. */
const refuseOverwriting = Effect.fnUntraced(function* (file: string) {
  const vars = yield* readVars(file)
  const there = secretNamesNeeded.filter((name) => (vars[name] ?? "") !== "")
  if (there.length === 0) return
  return yield* new Failed({
    message: `${file} holds ${there.join(", ")} already: the secrets of a server are never overwritten`,
    next: "See what is there: nacre secret. To begin anew, move the file away, and the data with it."
  })
})

/** Makes the recovery key into the file that the person chooses, and shows it once where that is wished. */
const recoveryKeyInto = Effect.fnUntraced(function* (given: Option.Option<string>) {
  const asked = yield* canAsk
  const file = Option.isSome(given)
    ? given.value
    : yield* ask({
        message:
          "Your recovery key takes your account back from any server. A file for it (or: none)",
        otherwise: "--recovery-key <file>, or --recovery-key none",
        initial: "recovery-key.json"
      })
  if (file === "none") return undefined
  const key = yield* makeRecoveryKey
  yield* saveRecoveryKey(key, file)
  if (asked && (yield* confirm("Show the key once, to write it down on paper?", { yes: false }))) {
    yield* note(`\n  ${Buffer.from(Redacted.value(key.secret)).toString("hex")}\n`)
  }
  return { file, didKey: key.didKey }
})

const setUpLocal = Effect.fnUntraced(function* (file: string) {
  const { added } = yield* makeSecrets(file)
  return { file, made: added, next: ["npm start"] }
})

const setUpCloudflare = Effect.fnUntraced(function* (
  file: string,
  domain: string,
  location: (typeof locations)[number],
  put: boolean
) {
  const settings = {
    PUBLIC_URL: `https://${domain}`,
    ...(location === "anywhere" ? {} : { DATA_LOCATION: location })
  }
  const declared = yield* declareServer(domain, settings)
  const { vars, added } = yield* makeSecrets(file)
  // A copy that tells whose secrets these are.
  yield* setVars(file, settings)
  if (put) {
    for (const name of added) yield* putSecret(name, Redacted.make(vars[name] ?? ""))
  }
  const steps = [
    ...(declared
      ? []
      : [
          `put into [vars] of wrangler.toml: ${Object.entries(settings)
            .map(([name, value]) => `${name} = "${value}"`)
            .join(", ")}`
        ]),
    ...(put
      ? []
      : added.map((name) => `npx wrangler secret put ${name}   (its value is in ${file})`)),
    "npx nacre deploy"
  ]
  return { file, made: added, next: steps }
})

/** `nacre init`: everything that a server needs before it starts for the first time. */
export const init = Command.make(
  "init",
  flags,
  Effect.fnUntraced(function* (given) {
    const target = yield* targetOf(given.target)
    const isLocal = target === "local"
    const domain = isLocal ? "localhost" : yield* domainOf(given.domain)
    const location = isLocal ? "anywhere" : yield* locationOf(given.location)
    const first = Option.isSome(given.account)
      ? given.account.value
      : yield* choose({
          message: "Your account here",
          otherwise: "--first-account new or --first-account existing",
          choices: [
            { title: "is a new one", value: "new" as const },
            { title: "exists elsewhere and shall move here", value: "existing" as const }
          ]
        })
    const path = yield* Path.Path
    const file = isLocal ? yield* varsFile : path.resolve(".dev.vars.cloudflare")
    yield* refuseOverwriting(file)
    // What may yet be refused comes before anything that a second attempt would find in its way.
    const recoveryKey = yield* recoveryKeyInto(given.recoveryKey)
    const made = isLocal
      ? yield* setUpLocal(file)
      : yield* setUpCloudflare(file, domain, location, given.put)
    const withKey = recoveryKey === undefined ? "" : ` --recovery-key ${recoveryKey.file}`
    const there = isLocal ? "" : ` --server https://${domain}`
    const next = [
      ...made.next,
      first === "new"
        ? `npx nacre account create <name> --email <address>${withKey}${there}`
        : `npx nacre migrate${there}`
    ]
    const answer = { target, domain, location, file: made.file, made: made.made, recoveryKey, next }
    yield* report(answer, () =>
      [
        `Made ${made.made.join(", ")} in ${made.file}, which you alone may read.`,
        recoveryKey === undefined
          ? "There is no recovery key: whoever runs the server can change your identity."
          : `Your recovery key is in ${recoveryKey.file}. Keep it where nobody else has it, and not with this server.`,
        "Keep a copy of MASTER_KEY apart from the server: without it nobody can write any more.",
        "",
        "What to do next:",
        ...next.map((step, index) => `  ${index + 1}. ${step}`)
      ].join("\n")
    )
  })
).pipe(
  Command.withDescription(
    "Set a server up: its address, where its data lies, its secrets, and your recovery key. Overwrites nothing"
  ),
  Command.withExamples([
    { command: "nacre init", description: "Asks for everything" },
    {
      command:
        "nacre init --target cloudflare --domain pds.example.com --location eu --first-account new --recovery-key key.json --put",
      description: "Asks for nothing"
    }
  ])
)
