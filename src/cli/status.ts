import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import * as Schema from "effect/Schema"
import * as Command from "effect/cli/Command"
import { nacre } from "../../scripts/project.ts"
import { accountArgument, didOf } from "./account/people.ts"
import { Did, HandleDomain, Tid, Words } from "./answers.ts"
import { standingOf } from "./account/show.ts"
import type { Check } from "./identity/checks.ts"
import { checksOf } from "./identity/checks.ts"
import { checkLines, unlessWell } from "./identity/identity.ts"
import { lookUp } from "./identity/lookup.ts"
import { wholeHandle } from "./handles.ts"
import { facts, report } from "./output.ts"
import { namedAccount, theServer } from "./place.ts"
import { type Readiness, readiness } from "./readiness.ts"
import { lookAtRelays, relayLines } from "./relays/relays.ts"
import { knownSession } from "./session.ts"
import { query } from "./xrpc.ts"

const optional = Schema.optionalKey

/** What a machine has instead of Cloudflare's services; only its server reports a disk. */
const onMachine: ReadonlyMap<string, string> = new Map([
  ["d1", "database"],
  ["r2", "blob store"]
])

const healthOf = (ready: Readiness | undefined): ReadonlyArray<Check> => {
  if (ready === undefined) {
    return [{ name: "health", ok: false, detail: "this doesn't look like a Nacre server" }]
  }
  const wrong = [...(ready.problems ?? []), ...(ready.warnings ?? [])].map(
    ({ variable: name, message }): Check => ({
      name: "configuration",
      ok: false,
      detail: `${name} ${message}`,
      fix: `Set it in .dev.vars or the wrangler configuration, or as a secret: npx wrangler secret put ${name}`
    })
  )
  const { checks = {} } = ready
  const parts = Object.entries(checks).map(([name, outcome]): Check => ({
    name: "disk" in checks ? (onMachine.get(name) ?? name) : name,
    ok: outcome === "ok",
    detail: outcome
  }))
  return [...parts, ...wrong]
}

const Described = Schema.Struct({
  did: Did,
  availableUserDomains: Schema.Array(HandleDomain),
  inviteCodeRequired: optional(Schema.Boolean)
})

const RepoStatus = Schema.Struct({
  active: Schema.Boolean,
  status: optional(Words),
  rev: optional(Tid)
})

/** The owner's part of the status, if no prompt is needed. */
const ownView = Effect.fnUntraced(function* (server: string, account: string) {
  const session = yield* knownSession(server, account)
  return session === undefined ? undefined : yield* standingOf(session)
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
      ...(repo.active ? {} : { fix: `Activate it: ${nacre} account activate ${name}` })
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
                ? `all ${standing.expectedBlobs} present`
                : `${lost} of ${standing.expectedBlobs} missing`,
            ...(lost === 0
              ? {}
              : { fix: `Restore them from an export: ${nacre} import --without-repo` })
          }
        ])
  ]
  return { name, did, rev: repo.rev, checks }
})

/** `nacre status`: checks the server, the account and its identity. */
export const status = Command.make(
  "status",
  { account: accountArgument },
  Effect.fnUntraced(function* ({ account: argument }) {
    const server = yield* theServer
    const ready = yield* readiness(server)
    const health = healthOf(ready)
    // An unconfigured server answers nothing else.
    const works = ready?.problems === undefined
    const described = works
      ? yield* query({ server }, "com.atproto.server.describeServer", Described)
      : undefined
    const named = works ? (Option.getOrUndefined(argument) ?? (yield* namedAccount)) : undefined
    const name = named === undefined ? undefined : yield* wholeHandle(server, named)
    const account = name === undefined ? undefined : yield* accountView(server, name)
    const looked = works ? yield* lookAtRelays(server, account) : undefined
    const relays = looked?.relays ?? []
    const all = [...health, ...(account?.checks ?? []), ...relays]
    const value = { server, version: ready?.version, ...described, health, account, ...looked }
    yield* report(value, (_, style) => {
      const parts = [
        facts([
          ["Server", server],
          ["Version", ready?.version],
          ["DID", described?.did],
          ["Handles", described?.availableUserDomains.join(", ")],
          ["Invites", described?.inviteCodeRequired === true ? "required" : undefined]
        ]),
        checkLines(health, style),
        account === undefined ? "" : `${account.name}\n${checkLines(account.checks, style)}`,
        looked === undefined ? "" : relayLines(looked, style)
      ]
      return parts.filter((part) => part !== "").join("\n\n")
    })
    yield* unlessWell(all)
  })
).pipe(
  Command.withDescription(
    "Check the health of the server and an account, and what relays have read. Exits with 1 if something is wrong"
  )
)
