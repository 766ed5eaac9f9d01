import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import * as Command from "effect/cli/Command"
import * as Flag from "effect/cli/Flag"
import { note, report, table } from "../output.ts"
import { envFlag, theEnvironment } from "./environment.ts"
import { askCloudflare, handOver, refuseOtherSecrets, storedAs } from "./handing.ts"
import {
  keepACopy,
  makeSecrets,
  readVars,
  secretNamesNeeded,
  secretWords,
  varsFile
} from "./vars.ts"

/** `--env` of a deployed server; without it the local one is meant. */
const deployedFlag = envFlag.pipe(
  Flag.withDescription(
    "A deployed server: production, staging …; else the local one of this folder"
  )
)

const words = (isSet: boolean | undefined): string =>
  isSet === undefined ? "not known" : isSet ? "set" : "missing"

/** The file of a deployed server's secrets, which must not be given others than it has; or of the local one's. */
const fileToFill = Effect.fnUntraced(function* (env: Option.Option<string>) {
  if (Option.isNone(env)) return yield* varsFile
  const environment = yield* theEnvironment(env)
  yield* refuseOtherSecrets(environment)
  return environment.copy
})

const make = Command.make(
  "make",
  { env: deployedFlag },
  Effect.fnUntraced(function* ({ env }) {
    const file = yield* fileToFill(env)
    const { added } = yield* makeSecrets(file)
    yield* report({ file, made: added }, () =>
      added.length === 0
        ? `${file} has all secrets; nothing was changed.`
        : `Made ${added.join(", ")} in ${file}, which you alone may read.`
    )
    if (added.includes("MASTER_KEY")) yield* note(keepACopy)
  })
).pipe(
  Command.withDescription(
    "Make the secrets that .dev.vars lacks, or with --env those that the copy of a deployed server's lacks; what is there stays"
  ),
  Command.withShortDescription("Make the secrets that are missing here; those that are there stay")
)

const put = Command.make(
  "put",
  { env: envFlag },
  Effect.fnUntraced(function* ({ env }) {
    const environment = yield* theEnvironment(env)
    const { kept, put } = yield* handOver(environment)
    yield* report({ environment: environment.name, file: environment.copy, put, kept }, () =>
      [
        put.length === 0
          ? "Cloudflare lacks nothing that is here; nothing was changed."
          : `Cloudflare has got ${put.join(", ")}.`,
        ...(kept.length === 0 ? [] : [`It had ${kept.join(", ")} already; these stay.`])
      ].join("\n")
    )
  })
).pipe(
  Command.withDescription(
    "Hand Cloudflare the secrets that it lacks, from the copy that nacre init has made (.secrets.production, .secrets.staging …): " +
      "to the Worker, or to the Secrets Store that wrangler.toml names. None that it has is replaced."
  ),
  Command.withShortDescription("Hand Cloudflare the secrets that it lacks")
)

const listLocal = Effect.gen(function* () {
  const file = yield* varsFile
  const vars = yield* readVars(file)
  const secrets = secretNamesNeeded.map((name) => ({ name, local: (vars[name] ?? "") !== "" }))
  yield* report({ file, secrets }, () =>
    table(
      ["SECRET", "HERE", "WHAT IT IS FOR"],
      secrets.map(({ name, local }) => [name, words(local), secretWords[name] ?? ""]),
      ""
    )
  )
})

const listDeployed = Effect.fnUntraced(function* (env: Option.Option<string>) {
  const environment = yield* theEnvironment(env)
  const { copy: file, name: of } = environment
  const vars = yield* readVars(file)
  const has = yield* askCloudflare(environment)
  const secrets = secretNamesNeeded.map((name) => ({
    name,
    local: (vars[name] ?? "") !== "",
    deployed: has(name),
    inStore: storedAs(environment, name) !== undefined
  }))
  yield* report({ environment: of, file, secrets }, () =>
    table(
      ["SECRET", "COPY HERE", "CLOUDFLARE", "WHAT IT IS FOR"],
      secrets.map(({ name, local, deployed, inStore }) => [
        name,
        words(local),
        `${words(deployed)}${inStore ? " (store)" : ""}`,
        secretWords[name] ?? ""
      ]),
      ""
    )
  )
  if (secrets.some(({ deployed }) => deployed === undefined)) {
    yield* note("Cloudflare could not be asked. Sign in: npx wrangler login")
  }
})

/** `nacre secret`: which secrets are set. No value is ever shown. */
export const secret = Command.make("secret", { env: deployedFlag }, ({ env }) =>
  Option.isNone(env) ? listLocal : listDeployed(env)
).pipe(
  Command.withDescription(
    "List the local server's secrets and whether they are set; with --env production (or staging …) those of a deployed one. No value is shown."
  ),
  Command.withShortDescription("Tell which secrets are set, make them, hand them to Cloudflare"),
  Command.withSubcommands([make, put])
)
