import * as Effect from "effect/Effect"
import * as FileSystem from "effect/FileSystem"
import * as Option from "effect/Option"
import * as Path from "effect/Path"
import { nacre } from "../../../scripts/project.ts"
import { Failed } from "../failure.ts"
import { makeSecrets, readVars, setVars } from "../host/vars.ts"
import { report } from "../output.ts"
import { ask } from "../prompts.ts"
import { audienceOf } from "./audience.ts"
import type { Given } from "./initFlags.ts"
import { recoveryWords, secretWords, steps } from "./initWords.ts"
import { ownKeyOf } from "./ownKey.ts"
import { domainOf } from "./questions.ts"

/** The data folder; proposes the one in this folder. */
const folderOf = Effect.fnUntraced(function* (given: Option.Option<string>) {
  const path = yield* Path.Path
  const text = Option.isSome(given)
    ? given.value
    : yield* ask({
        message: "The folder for accounts, blobs and secrets",
        otherwise: "--data /var/lib/nacre",
        initial: "data"
      })
  return path.resolve(text)
})

/** Makes the folder, readable only by its owner. */
const makeFolder = Effect.fnUntraced(function* (folder: string) {
  const files = yield* FileSystem.FileSystem
  yield* Effect.mapError(
    files.makeDirectory(folder, { recursive: true, mode: 0o700 }),
    ({ message }) => new Failed({ message: `Couldn't make the folder ${folder}: ${message}` })
  )
})

/** The settings of mail; a server on one machine sends by a provider's HTTP API. */
const mailOf = Effect.fnUntraced(function* (given: Given) {
  const kind = Option.getOrElse(given.mail, () => "none" as const)
  if (kind === "none") return {}
  if (kind === "cloudflare") {
    return yield* new Failed({
      message: "A server on your own machine can't send email by Cloudflare's binding",
      next: "Use a provider's HTTP API: --mail http --mail-from … --mail-url …, or --mail none"
    })
  }
  const from = yield* Option.match(given.mailFrom, {
    onNone: () => ask({ message: "The sender of its emails", otherwise: "--mail-from" }),
    onSome: Effect.succeed
  })
  const url = yield* Option.match(given.mailUrl, {
    onNone: () => ask({ message: "The provider's API", otherwise: "--mail-url" }),
    onSome: Effect.succeed
  })
  return { MAILER: kind, MAIL_FROM: from, MAIL_HTTP_URL: url }
})

/** Sets up a server on a machine of one's own: its secrets and settings in the data folder. */
export const initBox = Effect.fnUntraced(function* (given: Given) {
  const path = yield* Path.Path
  const folder = yield* folderOf(given.data)
  const file = path.join(folder, "nacre.env")
  const known = yield* readVars(file)
  const written = { section: { vars: known } }
  const audience = yield* audienceOf(given.for, written)
  const domain = yield* domainOf(given.domain, written, audience)
  const publicUrl = `https://${domain}`
  if (known["PUBLIC_URL"] !== undefined && known["PUBLIC_URL"] !== publicUrl) {
    return yield* new Failed({
      message: `${folder} belongs to ${known["PUBLIC_URL"]}, and a server's address can't change`,
      next: "Choose another folder with --data, or the old address with --domain."
    })
  }
  const mail = yield* mailOf(given)
  const recoveryKey = yield* ownKeyOf(given.recoveryKey, domain)
  yield* makeFolder(folder)
  const { added: made } = yield* makeSecrets(file)
  const handles = audience === "me" ? {} : { HANDLE_DOMAINS: `.${domain}` }
  // A proxy on this machine ends TLS: without it nobody reaches the server from outside.
  const proxies = known["TRUSTED_PROXIES"] === undefined ? { TRUSTED_PROXIES: "loopback" } : {}
  yield* setVars(file, { PUBLIC_URL: publicUrl, ...handles, ...mail, ...proxies })
  const withKey = recoveryKey === undefined ? "" : ` --recovery-key ${recoveryKey.file}`
  const names = audience === "me" ? domain : `${domain} and *.${domain}`
  const next = [
    `Point the DNS records of ${names} at this machine.`,
    `Start the server: ${nacre} serve --data ${folder}`,
    "Put a proxy with TLS before it, such as Caddy; its configuration is in the folder deploy of the package.",
    `Create the first account: ${nacre} account create ${audience === "me" ? domain : "<name>"} --email <address>${withKey} --server ${publicUrl}\n     It asks for the administrator's password, which is ADMIN_PASSWORD in ${file}.`,
    ...(mail.MAILER === "http" ? [`Add MAIL_HTTP_TOKEN=… to ${file}.`] : [])
  ]
  const answer = { target: "box", for: audience, domain, folder, file, made, recoveryKey, next }
  yield* report(answer, () =>
    [secretWords(made, file), recoveryWords(recoveryKey), "", steps(next)].join("\n")
  )
})
