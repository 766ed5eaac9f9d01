import * as Effect from "effect/Effect"
import * as Command from "effect/cli/Command"
import * as Flag from "effect/cli/Flag"
import { note, report, table } from "../output.ts"
import { makeSecrets, readVars, secretNamesNeeded, secretWords, varsFile } from "./vars.ts"
import { secretNames } from "./wrangler.ts"

const cloudflareFlag = Flag.Boolean("cloudflare").pipe(
  Flag.withDescription("Ask Cloudflare which secrets the deployed Worker has"),
  Flag.withDefault(false)
)

const words = (isSet: boolean | undefined): string =>
  isSet === undefined ? "not known" : isSet ? "set" : "missing"

const make = Command.make(
  "make",
  {},
  Effect.fnUntraced(function* () {
    const file = yield* varsFile
    const { added } = yield* makeSecrets(file)
    yield* report({ file, made: added }, () =>
      added.length === 0
        ? `${file} has all secrets; nothing was changed.`
        : `Made ${added.join(", ")} in ${file}, which you alone may read.`
    )
    if (added.includes("MASTER_KEY")) {
      yield* note(
        "Keep a copy of MASTER_KEY apart from the server: without it nobody can write any more."
      )
    }
  })
).pipe(Command.withDescription("Make the secrets that .dev.vars lacks; those that are there stay"))

/** `nacre secret`: which secrets are set. No value is ever shown. */
export const secret = Command.make(
  "secret",
  { cloudflare: cloudflareFlag },
  Effect.fnUntraced(function* ({ cloudflare }) {
    const file = yield* varsFile
    const vars = yield* readVars(file)
    const deployed = cloudflare ? yield* secretNames : undefined
    const secrets = secretNamesNeeded.map((name) => ({
      name,
      local: (vars[name] ?? "") !== "",
      ...(cloudflare ? { deployed: deployed?.has(name) } : {})
    }))
    yield* report({ file, secrets }, () =>
      table(
        ["SECRET", "LOCAL", ...(cloudflare ? ["CLOUDFLARE"] : []), "WHAT IT IS FOR"],
        secrets.map(({ name, local, deployed: there }) => [
          name,
          words(local),
          ...(cloudflare ? [words(there)] : []),
          secretWords[name] ?? ""
        ]),
        ""
      )
    )
    if (cloudflare && deployed === undefined) {
      yield* note(
        "Cloudflare could not be asked. Sign in (npx wrangler login); is the Worker deployed?"
      )
    }
  })
).pipe(
  Command.withDescription("List the server's secrets and whether they are set; no value is shown"),
  Command.withSubcommands([make])
)
