import * as Effect from "effect/Effect"
import * as FileSystem from "effect/FileSystem"
import * as Option from "effect/Option"
import * as Redacted from "effect/Redacted"
import * as Command from "effect/cli/Command"
import * as Flag from "effect/cli/Flag"
import { startCommand } from "../../../scripts/project.mjs"
import { isJurisdiction } from "../../core/host/settings.ts"
import { Failed } from "../failure.ts"
import { note, report } from "../output.ts"
import { ask, canAsk, confirm } from "../prompts.ts"
import { makeRecoveryKey, readRecoveryKey, saveRecoveryKey } from "../recoveryKey.ts"
import { declare } from "./declare.ts"
import { type Environment, envFlag, theEnvironment } from "./environment.ts"
import { handOver, refuseOtherSecrets } from "./handing.ts"
import {
  cloudflareAccountOf,
  domainOf,
  firstAccountOf,
  keepingOf,
  locationOf,
  locations,
  storeOf,
  targetOf
} from "./questions.ts"
import { keepACopy, makeSecrets, setVars, varsFile } from "./vars.ts"

const flags = {
  target: Flag.Literals("target", ["local", "cloudflare"]).pipe(
    Flag.withDescription("Set up a server on this machine or on Cloudflare"),
    Flag.optional
  ),
  env: envFlag,
  domain: Flag.String("domain").pipe(
    Flag.withDescription("The server's host name, such as pds.example.com"),
    Flag.optional
  ),
  cloudflareAccount: Flag.String("cloudflare-account").pipe(
    Flag.withMetavar("id or name"),
    Flag.withDescription("The Cloudflare account, if you have several"),
    Flag.optional
  ),
  location: Flag.Literals("location", locations).pipe(
    Flag.withDescription("Where Cloudflare stores the data; can't be changed later"),
    Flag.optional
  ),
  firstAccount: Flag.Literals("first-account", ["new", "existing"]).pipe(
    Flag.withDescription("Create a new account, or move an existing one here"),
    Flag.optional
  ),
  recoveryKey: Flag.String("recovery-key").pipe(
    Flag.withMetavar("file or none"),
    Flag.withDescription("The file for your recovery key, or none"),
    Flag.optional
  ),
  put: Flag.Boolean("put").pipe(
    Flag.withDescription("Upload the secrets to the Worker now"),
    Flag.withDefault(false)
  ),
  secretsStore: Flag.String("secrets-store").pipe(
    Flag.withMetavar("id"),
    Flag.withDescription("Upload the secrets to this Secrets Store now, instead of the Worker"),
    Flag.optional
  )
}

/** The values of the flags. */
type Given = {
  readonly [Name in keyof typeof flags]: (typeof flags)[Name] extends Flag.Flag<infer A> ? A : never
}

/** The recovery key in the file that the person chooses: made now, and shown once where that is wished, or the one that is there. */
const recoveryKeyIn = Effect.fnUntraced(function* (given: Option.Option<string>) {
  const files = yield* FileSystem.FileSystem
  const file = Option.isSome(given)
    ? given.value
    : yield* ask({
        message:
          "File for your recovery key, which can take your account back from any server, or none",
        otherwise: "--recovery-key <file>, or --recovery-key none",
        initial: "recovery-key.json"
      })
  if (file === "none") return undefined
  if (yield* Effect.orElseSucceed(files.exists(file), () => false)) {
    const { didKey } = yield* Effect.mapError(
      readRecoveryKey(file),
      () =>
        new Failed({
          message: `${file} already exists and isn't a recovery key. Nothing was overwritten`,
          next: "Choose another file."
        })
    )
    return { file, didKey }
  }
  const key = yield* makeRecoveryKey
  yield* saveRecoveryKey(key, file)
  const isAsked = yield* canAsk
  if (isAsked && (yield* confirm("Show the key once, so you can write it down?", { yes: false }))) {
    yield* note(`\n  ${Buffer.from(Redacted.value(key.secret)).toString("hex")}\n`)
  }
  return { file, didKey: key.didKey }
})

const recoveryWords = (key: { readonly file: string } | undefined): string =>
  key === undefined
    ? "You have no recovery key, so only the server can change your identity."
    : `Your recovery key is in ${key.file}. Store the file somewhere safe, not on this server.`

const secretWords = (made: ReadonlyArray<string>, file: string): string =>
  made.length === 0
    ? `Kept the secrets in ${file}.`
    : `Created ${made.join(", ")} in ${file}, readable only by you.\n${keepACopy}`

const steps = (next: ReadonlyArray<string>): string =>
  ["Next steps:", ...next.map((step, index) => `  ${index + 1}. ${step}`)].join("\n")

const flagOf = (name: string, value: string | undefined): string =>
  value === undefined ? "" : ` --${name} ${value}`

const initLocal = Effect.fnUntraced(function* (given: Given) {
  const file = yield* varsFile
  const recoveryKey = yield* recoveryKeyIn(given.recoveryKey)
  const { added: made } = yield* makeSecrets(file)
  const withKey = flagOf("recovery-key", recoveryKey?.file)
  const next = [
    `${startCommand}   (creates a first account and shows its password)`,
    `npx nacre account create <name> --email <address>${withKey}   (creates more accounts)`
  ]
  yield* report({ target: "local", file, made, recoveryKey, next }, () =>
    [secretWords(made, file), recoveryWords(recoveryKey), "", steps(next)].join("\n")
  )
})

/** Creates a database in its jurisdiction first, since wrangler would create a missing one anywhere. */
const databaseSteps = ({ section }: Environment, location: string): ReadonlyArray<string> => {
  const database = section.d1_databases?.[0]?.database_name
  const isNew = section.vars?.["DATA_LOCATION"] === undefined
  return isNew && isJurisdiction(location) && database !== undefined
    ? [`npx wrangler d1 create ${database} --jurisdiction ${location}`]
    : []
}

const initCloudflare = Effect.fnUntraced(function* (given: Given) {
  const written = yield* theEnvironment(given.env)
  const { copy: file, name } = written
  const domain = yield* domainOf(given.domain, written)
  const account = yield* cloudflareAccountOf(given.cloudflareAccount, written)
  const environment = { ...written, account }
  const location = yield* locationOf(given.location, environment)
  const firstAccount = yield* firstAccountOf(given.firstAccount)
  const keeping = yield* keepingOf({ put: given.put, store: given.secretsStore }, environment)
  const store = keeping === "store" ? yield* storeOf(given.secretsStore, environment) : undefined
  const settings = {
    PUBLIC_URL: `https://${domain}`,
    ...(location === "anywhere" ? {} : { DATA_LOCATION: location })
  }
  // Checks that may fail come before the first write.
  const write = yield* declare(written, { domain, vars: settings, account, store })
  yield* refuseOtherSecrets(environment, store)
  const recoveryKey = yield* recoveryKeyIn(given.recoveryKey)
  const { added: made } = yield* makeSecrets(file)
  // The copy names the server of the secrets.
  yield* setVars(file, settings)
  yield* write
  const handed = keeping === "later" ? [] : yield* hand(given.env)
  const there = `${flagOf("recovery-key", recoveryKey?.file)} --server https://${domain}`
  const next = [
    ...databaseSteps(written, location),
    ...(keeping === "later" ? [`npx nacre secret put${environment.words}`] : []),
    `npx nacre deploy${environment.words}`,
    firstAccount === "new"
      ? `npx nacre account create <name> --email <address>${there}`
      : `npx nacre migrate --account <handle>${there}`
  ]
  const answer = { target: "cloudflare", environment: name, domain, location, file, made, handed }
  yield* report({ ...answer, recoveryKey, next }, () =>
    [
      secretWords(made, file),
      ...(handed.length === 0 ? [] : [`Uploaded ${handed.join(", ")} to Cloudflare.`]),
      recoveryWords(recoveryKey),
      "",
      steps(next)
    ].join("\n")
  )
})

/** Hands the secrets over, as wrangler.toml says by now where. */
const hand = Effect.fnUntraced(function* (env: Option.Option<string>) {
  yield* note("Uploading secrets to Cloudflare…")
  const { put } = yield* handOver(yield* theEnvironment(env))
  return put
})

/** `nacre init`: everything that a server needs before it starts for the first time. */
export const init = Command.make("init", flags, (given) =>
  Effect.flatMap(targetOf(given.target), (target) =>
    target === "local" ? initLocal(given) : initCloudflare(given)
  )
).pipe(
  Command.withDescription(
    "Set up a server: address, Cloudflare account, data location, secrets and your recovery key.\n\n" +
      "Safe to run again: it changes nothing that already exists."
  ),
  Command.withShortDescription("Set up a server: address, data location, secrets, recovery key"),
  Command.withExamples([
    { command: "nacre init", description: "Asks for everything" },
    {
      command:
        "nacre init --target cloudflare --domain pds.example.com --location eu --first-account new --recovery-key key.json --put",
      description: "Asks for nothing"
    },
    {
      command: "nacre init --target cloudflare --env staging --domain staging.example.com",
      description: "Sets up a staging server"
    }
  ])
)
