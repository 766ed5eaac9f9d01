import * as Effect from "effect/Effect"
import * as Schema from "effect/Schema"
import * as Command from "effect/cli/Command"
import { didOf } from "./account/people.ts"
import { standingOf } from "./account/show.ts"
import { CallFailed } from "./failure.ts"
import { variable } from "./flags.ts"
import type { Check } from "./identity/checks.ts"
import { checksOf } from "./identity/checks.ts"
import { checkLines, unlessWell } from "./identity/identity.ts"
import { lookUp } from "./identity/lookup.ts"
import { facts, report } from "./output.ts"
import { isLocal, namedAccount, theServer } from "./place.ts"
import { type Readiness, readiness } from "./readiness.ts"
import { knownPassword, signIn } from "./session.ts"
import { query } from "./xrpc.ts"

const optional = Schema.optionalKey

const healthOf = (ready: Readiness | undefined): ReadonlyArray<Check> => {
  if (ready === undefined) {
    return [{ name: "health", ok: false, detail: "/ready does not answer as a Nacre server does" }]
  }
  const wrong = [...(ready.problems ?? []), ...(ready.warnings ?? [])].map(
    ({ variable: name, message }): Check => ({
      name: "configuration",
      ok: false,
      detail: `${name} ${message}`,
      fix: `Set it: in .dev.vars, in wrangler.toml, or for a secret: npx wrangler secret put ${name}`
    })
  )
  const parts = Object.entries(ready.checks ?? {}).map(([name, outcome]): Check => ({
    name,
    ok: outcome === "ok",
    detail: outcome
  }))
  return [...parts, ...wrong]
}

const Described = Schema.Struct({
  did: Schema.String,
  availableUserDomains: Schema.Array(Schema.String),
  inviteCodeRequired: optional(Schema.Boolean)
})

const RepoStatus = Schema.Struct({
  active: Schema.Boolean,
  status: optional(Schema.String),
  rev: optional(Schema.String)
})

/** What the account's owner may know besides; only where its password need not be asked for. */
const ownView = Effect.fnUntraced(function* (server: string, account: string) {
  const password = yield* knownPassword(server, account)
  if (password === undefined) return undefined
  return yield* standingOf(yield* signIn(server, account, password))
}, Effect.scoped)

const accountView = Effect.fnUntraced(function* (server: string, name: string) {
  const did = yield* didOf(server, name)
  const found = yield* lookUp(server, name)
  const repo = yield* query({ server }, "com.atproto.sync.getRepoStatus", RepoStatus, { did })
  const standing = yield* ownView(server, name)
  const lost = standing === undefined ? 0 : standing.expectedBlobs - standing.importedBlobs
  const checks: ReadonlyArray<Check> = [
    {
      name: "repo",
      ok: repo.active,
      detail: repo.active ? `active, rev ${repo.rev}` : (repo.status ?? "inactive"),
      ...(repo.active ? {} : { fix: `Activate it: nacre account activate ${name}` })
    },
    ...checksOf(found, server),
    ...(standing === undefined
      ? []
      : [
          {
            name: "blobs",
            ok: lost === 0,
            detail:
              lost === 0
                ? `all ${standing.expectedBlobs} are here`
                : `${lost} of ${standing.expectedBlobs} are missing`,
            ...(lost === 0 ? {} : { fix: "Send them from an export: nacre import --without-repo" })
          }
        ])
  ]
  return { name, did, rev: repo.rev, checks }
})

const HostStatus = Schema.Struct({
  seq: optional(Schema.Int),
  status: optional(Schema.String),
  accountCount: optional(Schema.Int)
})

/** What a relay has read of this server, and of the account. */
const relayView = Effect.fnUntraced(function* (
  relay: string,
  host: string,
  account: { readonly did: string; readonly rev: string | undefined } | undefined
) {
  const asked = { server: relay }
  const known = yield* query(asked, "com.atproto.sync.getHostStatus", HostStatus, {
    hostname: host
  })
  const repo =
    account === undefined
      ? undefined
      : yield* query(asked, "com.atproto.sync.getRepoStatus", RepoStatus, {
          did: account.did
        }).pipe(
          Effect.catchIf(
            (error) => error instanceof CallFailed,
            () => Effect.undefined
          )
        )
  const isCurrent = account === undefined || account.rev === undefined || repo?.rev === account.rev
  const read = `${known.status ?? "known"}, read up to ${known.seq ?? "an unknown number"}`
  return {
    name: relay,
    ok: isCurrent,
    detail: isCurrent ? read : `${read}; of the account it has rev ${repo?.rev ?? "none"}`,
    ...(isCurrent
      ? {}
      : {
          fix: "It may be a moment late. If it stays so: write a post, which calls the relay again."
        })
  } satisfies Check
})

const relayChecks = Effect.fnUntraced(function* (
  server: string,
  account: { readonly did: string; readonly rev: string | undefined } | undefined
) {
  const relays = ((yield* variable("RELAYS")) ?? "https://bsky.network").split(/[\s,]+/)
  if (isLocal(server) || relays.includes("none")) return []
  const { host } = new URL(server)
  return yield* Effect.forEach(relays.filter(Boolean), (relay) =>
    Effect.catchTags(relayView(relay, host, account), {
      CallFailed: ({ message }) =>
        Effect.succeed<Check>({
          name: relay,
          ok: false,
          detail: `does not know this server: ${message}`,
          fix: "It is asked to read with the next event. Write a post and look again."
        }),
      Unreachable: ({ why }) =>
        Effect.succeed<Check>({ name: relay, ok: false, detail: `cannot be asked: ${why}` })
    })
  )
})

/** `nacre status`: is all well? */
export const status = Command.make(
  "status",
  {},
  Effect.fnUntraced(function* () {
    const server = yield* theServer
    const ready = yield* readiness(server)
    const health = healthOf(ready)
    // A server that is not configured answers nothing else.
    const works = ready?.problems === undefined
    const described = works
      ? yield* query({ server }, "com.atproto.server.describeServer", Described)
      : undefined
    const name = works ? yield* namedAccount : undefined
    const account = name === undefined ? undefined : yield* accountView(server, name)
    const relays = works ? yield* relayChecks(server, account) : []
    const all = [...health, ...(account?.checks ?? []), ...relays]
    const value = { server, version: ready?.version, ...described, health, account, relays }
    yield* report(value, (_, style) => {
      const parts = [
        facts([
          ["Server", server],
          ["Version", ready?.version],
          ["DID", described?.did],
          ["Handles", described?.availableUserDomains.join(", ")],
          ["Invites", described?.inviteCodeRequired === true ? "needed" : undefined]
        ]),
        checkLines(health, style),
        account === undefined ? "" : `${account.name}\n${checkLines(account.checks, style)}`,
        relays.length === 0 ? "" : `Relays\n${checkLines(relays, style)}`
      ]
      return parts.filter((part) => part !== "").join("\n\n")
    })
    yield* unlessWell(all)
  })
).pipe(
  Command.withDescription(
    "Tell whether the server, an account and its identity are well, and what relays have read. Ends with 1 where something is wrong"
  )
)
