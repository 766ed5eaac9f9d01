import * as Option from "effect/Option"
import * as Flag from "effect/cli/Flag"
import { audiences, handlePlaces } from "./audience.ts"
import { envFlag } from "../host/environment.ts"
import { mailWays } from "./mailing.ts"
import { locations, targets } from "./questions.ts"

/** The flags of `nacre init`: one for each question. */
export const initFlags = {
  target: Flag.Literals("target", targets).pipe(
    Flag.withDescription(
      "Set up a server on Cloudflare, on a machine of your own (box), or on this one to try it out (local)"
    ),
    Flag.optional
  ),
  env: envFlag,
  for: Flag.Literals("for", audiences).pipe(
    Flag.withDescription("Who the server is for; default: me, if nobody can be asked"),
    Flag.optional
  ),
  domain: Flag.String("domain").pipe(
    Flag.withDescription("The server's host name, such as pds.example.com"),
    Flag.optional
  ),
  handles: Flag.Literals("handles", handlePlaces).pipe(
    Flag.withDescription(
      "Members' handles are names of the zone (alice.example.com) or of the host (alice.pds.example.com)"
    ),
    Flag.optional
  ),
  zone: Flag.String("zone").pipe(
    Flag.withMetavar("domain"),
    Flag.withDescription("The domain of --domain, as Cloudflare lists it"),
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
  mail: Flag.Literals("mail", mailWays).pipe(
    Flag.withDescription("How the server sends email"),
    Flag.optional
  ),
  mailFrom: Flag.String("mail-from").pipe(
    Flag.withMetavar("address"),
    Flag.withDescription("The sender of its emails"),
    Flag.optional
  ),
  mailUrl: Flag.String("mail-url").pipe(
    Flag.withMetavar("URL"),
    Flag.withDescription("The provider's API, for --mail http. MAIL_HTTP_TOKEN is its token"),
    Flag.optional
  ),
  data: Flag.String("data").pipe(
    Flag.withMetavar("folder"),
    Flag.withDescription("The data folder of a server on a machine of your own; default: data"),
    Flag.optional
  ),
  firstAccount: Flag.Literals("first-account", ["new", "existing"]).pipe(
    Flag.withDescription("Create a new account, or move an existing one here"),
    Flag.optional
  ),
  recoveryKey: Flag.String("recovery-key").pipe(
    Flag.withMetavar("file or none"),
    Flag.withDescription("The file for your recovery key, outside of any git repository, or none"),
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
  ),
  yes: Flag.Boolean("yes").pipe(
    Flag.withAlias("y"),
    Flag.withDescription(
      "Take the defaults: for me, on Cloudflare, anywhere, without email, a new account, a recovery key in your home folder"
    ),
    Flag.withDefault(false)
  )
}

/** The values of the flags. */
export type Given = {
  readonly [Name in keyof typeof initFlags]: (typeof initFlags)[Name] extends Flag.Flag<infer A>
    ? A
    : never
}

/** The values with the defaults of `--yes` in place of missing ones. */
export const withDefaults = (given: Given): Given => {
  if (!given.yes) return given
  const host = Option.getOrUndefined(given.domain)
  const file = `~/nacre-recovery-key${host === undefined ? "" : `-${host}`}.json`
  return {
    ...given,
    target: Option.orElse(given.target, () => Option.some("cloudflare" as const)),
    for: Option.orElse(given.for, () => Option.some("me" as const)),
    handles: Option.orElse(given.handles, () => Option.some("zone" as const)),
    location: Option.orElse(given.location, () => Option.some("anywhere" as const)),
    mail: Option.orElse(given.mail, () => Option.some("none" as const)),
    firstAccount: Option.orElse(given.firstAccount, () => Option.some("new" as const)),
    recoveryKey: Option.orElse(given.recoveryKey, () => Option.some(file))
  }
}
