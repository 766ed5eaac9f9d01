import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import * as Command from "effect/cli/Command"
import * as Argument from "effect/cli/Argument"
import * as Flag from "effect/cli/Flag"
import { yesFlag } from "../account/people.ts"
import { longWay } from "../patience.ts"
import { note, report, table } from "../output.ts"
import { envFlag, theEnvironment } from "./environment.ts"
import { askCloudflare, handOver, refuseOtherSecrets, storedAs } from "./handing.ts"
import { placeOf, rotateMasterKey } from "./rotate.ts"
import { rotatePlcKey } from "./rotatePlc.ts"
import { signInHint } from "./signedIn.ts"
import {
  keepACopy,
  makeSecrets,
  readVars,
  secretNamesNeeded,
  secretWords,
  varsFile
} from "./vars.ts"

/** `--env` of a deployed server; the local one by default. */
const deployedFlag = envFlag.pipe(
  Flag.withDescription(
    "A deployed server, such as production or staging; default: the local server of this folder"
  )
)

const words = (isSet: boolean | undefined): string =>
  isSet === undefined ? "unknown" : isSet ? "set" : "missing"

/** The file of a deployed server's secrets, which must match its own, or the local server's. */
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
        ? `${file} already has all secrets. Nothing was changed.`
        : `Created ${added.join(", ")} in ${file}, readable only by you.`
    )
    if (added.includes("MASTER_KEY")) yield* note(keepACopy)
  })
).pipe(
  Command.withDescription(
    "Create missing secrets in .dev.vars, or with --env in the local copy of a deployed server's secrets. Existing secrets are kept"
  ),
  Command.withShortDescription("Create missing secrets")
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
          ? "Cloudflare already has all secrets. Nothing was changed."
          : `Uploaded ${put.join(", ")} to Cloudflare.`,
        ...(kept.length === 0 ? [] : [`Kept ${kept.join(", ")}, which Cloudflare already had.`])
      ].join("\n")
    )
  })
).pipe(
  Command.withDescription(
    "Upload missing secrets to Cloudflare, from the copy that nacre init created (such as .secrets.production), " +
      "to the Worker or to the Secrets Store named in the wrangler configuration. Existing secrets are never replaced."
  ),
  Command.withShortDescription("Upload missing secrets to Cloudflare")
)

const listLocal = Effect.gen(function* () {
  const file = yield* varsFile
  const vars = yield* readVars(file)
  const secrets = secretNamesNeeded.map((name) => ({ name, local: (vars[name] ?? "") !== "" }))
  yield* report({ file, secrets }, () =>
    table(
      ["SECRET", "LOCAL", "PURPOSE"],
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
      ["SECRET", "LOCAL COPY", "CLOUDFLARE", "PURPOSE"],
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
    yield* note(`Couldn't check the secrets on Cloudflare. Sign in: ${yield* signInHint}`)
  }
})

const rotate = Command.make(
  "rotate",
  {
    name: Argument.Literals("name", ["MASTER_KEY", "PLC_ROTATION_KEY"]).pipe(
      Argument.withDescription("The key to replace")
    ),
    env: deployedFlag,
    data: Flag.String("data").pipe(
      Flag.withMetavar("path"),
      Flag.withDescription("The data folder of a server on Node, whose nacre.env has its secrets"),
      Flag.optional
    ),
    yes: yesFlag
  },
  Effect.fnUntraced(function* ({ name, data, env, yes }) {
    const place = yield* placeOf(name, { data, env })
    yield* name === "MASTER_KEY" ? rotateMasterKey(place, yes) : rotatePlcKey(place, yes)
  }, longWay)
).pipe(
  Command.withDescription(
    "Replace a key: create a new one, put everything that the old one protects under it while the server stays in use " +
      "(for PLC_ROTATION_KEY: put it into the DIDs of the accounts), verify every account, then remove the old key. " +
      "Run it again to continue"
  ),
  Command.withShortDescription("Replace MASTER_KEY or PLC_ROTATION_KEY")
)

/** `nacre secret`: shows which secrets are set, and never a value. */
export const secret = Command.make("secret", { env: deployedFlag }, ({ env }) =>
  Option.isNone(env) ? listLocal : listDeployed(env)
).pipe(
  Command.withDescription(
    "List the local server's secrets and whether they are set; with --env, those of a deployed server. Values are never shown."
  ),
  Command.withShortDescription("List, create and upload the server's secrets"),
  Command.withSubcommands([make, put, rotate])
)
