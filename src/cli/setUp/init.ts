import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import * as Redacted from "effect/Redacted"
import * as Command from "effect/cli/Command"
import { nacre, startCommand } from "../../../scripts/project.ts"
import { ServerFlag } from "../flags.ts"
import { note, report } from "../output.ts"
import { canAsk } from "../prompts.ts"
import { audienceOf, handleSpaceOf } from "./audience.ts"
import { placeDatabase } from "../host/database.ts"
import { declare } from "../host/declare.ts"
import { theEnvironment } from "../host/environment.ts"
import { handOver, refuseOtherSecrets } from "../host/handing.ts"
import { type Given, initFlags, withDefaults } from "./initFlags.ts"
import { mailingOf } from "./mailing.ts"
import { ownKeyOf } from "./ownKey.ts"
import {
  cloudflareAccountOf,
  domainOf,
  firstAccountOf,
  keepingOf,
  locationOf,
  storeOf,
  targetOf
} from "./questions.ts"
import { stepsLeft } from "./remaining.ts"
import { initBox } from "./initBox.ts"
import { recoveryWords, secretWords, steps } from "./initWords.ts"
import { makeSecrets, setVars, varsFile } from "../host/vars.ts"

const initLocal = Effect.fnUntraced(function* (given: Given) {
  const file = yield* varsFile
  const recoveryKey = yield* ownKeyOf(given.recoveryKey, undefined)
  const { added: made } = yield* makeSecrets(file)
  const withKey = recoveryKey === undefined ? "" : ` --recovery-key ${recoveryKey.file}`
  const next = [
    `${startCommand}   (creates a first account and shows its password)`,
    `${nacre} account create <name> --email <address>${withKey}   (creates more accounts)`
  ]
  yield* report({ target: "local", file, made, recoveryKey, next }, () =>
    [secretWords(made, file), recoveryWords(recoveryKey), "", steps(next)].join("\n")
  )
})

const needed = `You need:
  - a Cloudflare account with a domain on it
  - R2 switched on in its dashboard (it asks for a payment method; the free amount is enough for one person)
You can stop at any question with Ctrl-C and run the command again.
`

/** Uploads the secrets to the place that the configuration now names. */
const hand = Effect.fnUntraced(function* (env: Option.Option<string>) {
  yield* note("Uploading secrets to Cloudflare…")
  const { put } = yield* handOver(yield* theEnvironment(env))
  return put
})

const initCloudflare = Effect.fnUntraced(function* (given: Given) {
  const written = yield* theEnvironment(given.env)
  const { copy: file, name } = written
  if (yield* canAsk) yield* note(needed)
  const audience = yield* audienceOf(given.for, written)
  const domain = yield* domainOf(given.domain, written, audience)
  const space = yield* handleSpaceOf(audience, domain, {
    environment: written,
    place: given.handles,
    zone: given.zone
  })
  const account = yield* cloudflareAccountOf(given.cloudflareAccount, written)
  const environment = { ...written, account }
  const location = yield* locationOf(given.location, environment)
  const mailing = yield* mailingOf(
    { mail: given.mail, from: given.mailFrom, url: given.mailUrl },
    audience,
    environment
  )
  const firstAccount = yield* firstAccountOf(given.firstAccount)
  const keeping = yield* keepingOf({ put: given.put, store: given.secretsStore }, environment)
  const store = keeping === "store" ? yield* storeOf(given.secretsStore, environment) : undefined
  const settings = {
    PUBLIC_URL: `https://${domain}`,
    ...(location === "anywhere" ? {} : { DATA_LOCATION: location }),
    ...(space === undefined ? {} : { HANDLE_DOMAINS: `.${space.domain}` }),
    ...mailing.vars
  }
  // Checks that may fail must run before the first write.
  const write = yield* declare(written, {
    domain,
    space,
    needsMail: mailing.needsBinding,
    vars: settings,
    account,
    store
  })
  yield* refuseOtherSecrets(environment, store)
  const recoveryKey = yield* ownKeyOf(given.recoveryKey, domain)
  const { added: made } = yield* makeSecrets(file)
  // The copy names the server that its secrets belong to.
  yield* setVars(file, {
    PUBLIC_URL: settings.PUBLIC_URL,
    ...(location === "anywhere" ? {} : { DATA_LOCATION: location }),
    ...(mailing.token === undefined ? {} : { MAIL_HTTP_TOKEN: Redacted.value(mailing.token) })
  })
  yield* write
  const handed = keeping === "later" ? [] : yield* hand(given.env)
  const now = { ...(yield* theEnvironment(given.env)), account }
  const isPlaced = keeping === "later" ? false : yield* placeDatabase(now)
  const server = Option.getOrElse(yield* ServerFlag, () => `https://${domain}`)
  const next = yield* stepsLeft(now, {
    audience,
    host: domain,
    server,
    space,
    firstAccount,
    recoveryKey: recoveryKey?.file,
    isPlaced
  })
  const answer = { target: "cloudflare", environment: name, for: audience, domain, location }
  yield* report({ ...answer, handles: space?.domain, file, made, handed, recoveryKey, next }, () =>
    [
      secretWords(made, file),
      ...(handed.length === 0 ? [] : [`Uploaded ${handed.join(", ")} to Cloudflare.`]),
      recoveryWords(recoveryKey),
      "",
      steps(next)
    ].join("\n")
  )
})

/** `nacre init`: prepares everything that a server needs before its first start. */
export const init = Command.make("init", initFlags, (given) => {
  const all = withDefaults(given)
  return Effect.flatMap(targetOf(all.target), (target) =>
    target === "local" ? initLocal(all) : target === "box" ? initBox(all) : initCloudflare(all)
  )
}).pipe(
  Command.withDescription(
    "Set up a server: who it is for, address, handles, Cloudflare account, data location, mail, secrets and your recovery key.\n\n" +
      "Safe to run again: it changes nothing that already exists, and prints the steps that are left."
  ),
  Command.withShortDescription("Set up a server, and see what is left to do"),
  Command.withExamples([
    { command: "nacre init", description: "Asks for everything" },
    {
      command:
        "nacre init --target cloudflare --for me --domain alice.example.com --location eu --first-account new --recovery-key ~/key.json --put",
      description: "A server for one person, without questions"
    },
    {
      command:
        "nacre init --target cloudflare --for family --domain pds.example.com --handles zone",
      description: "Handles such as alice.example.com"
    },
    {
      command: "nacre init --target box --for me --domain alice.example.com --data /var/lib/nacre",
      description: "A server on a machine of your own"
    },
    {
      command: "nacre init --target cloudflare --env staging --domain staging.example.com",
      description: "Sets up a staging server"
    }
  ])
)
