import * as Effect from "effect/Effect"
import * as Schema from "effect/Schema"
import * as Command from "effect/cli/Command"
import * as Flag from "effect/cli/Flag"
import { nacre } from "../../../scripts/project.ts"
import { asAdministrator } from "../administrator.ts"
import { Cursor, Did, Words } from "../answers.ts"
import { CallFailed, Failed } from "../failure.ts"
import { hostOf, treeAt } from "../migrate/network.ts"
import { facts, note, report } from "../output.ts"
import { longWay } from "../patience.ts"
import { checkedOrigin } from "../place.ts"
import { askSecret } from "../prompts.ts"
import { secretVariable } from "../session.ts"
import { query, type Remote } from "../xrpc.ts"
import { faultLines, follow } from "./backups.ts"
import { restoreAll, restoreOne } from "./restore.ts"

/** How often what changed during the transplant is carried over again. */
const mostRounds = 3

const Repos = Schema.Struct({
  repos: Schema.Array(Schema.Struct({ did: Did, status: Schema.optionalKey(Words) })),
  cursor: Schema.optionalKey(Cursor)
})

/** Every account of a server with its status. */
const accountsAt = Effect.fnUntraced(function* (remote: Remote) {
  const found = new Map<string, string>()
  let cursor: string | undefined
  do {
    const page: typeof Repos.Type = yield* query(remote, "com.atproto.sync.listRepos", Repos, {
      limit: 1000,
      cursor
    })
    for (const { did, status } of page.repos) found.set(did, status ?? "active")
    cursor = page.cursor
  } while (cursor !== undefined)
  return found
})

const storeOf = (remote: Remote) =>
  query(remote, "admin/backups", Schema.Struct({ store: Schema.NullOr(Words) })).pipe(
    Effect.map(({ store }) => store)
  )

/** The account's tree; undefined if it isn't there. */
const treeIfThere = (remote: Remote, did: string) =>
  Effect.catchIf(
    treeAt(remote, did),
    (error) => error instanceof CallFailed && error.error === "RepoNotFound",
    () => Effect.undefined
  )

/** Fails unless both addresses are one server's, each with a backup store. */
const checkPair = Effect.fnUntraced(function* (from: Remote, to: Remote) {
  if (from.server === to.server) {
    return yield* new Failed({
      message: "--from and --to are the same address",
      next: "Name the address at which each server answers now, whatever DNS says."
    })
  }
  const [old, next] = [yield* hostOf(from.server), yield* hostOf(to.server)]
  if (old.did !== next.did) {
    return yield* new Failed({
      message: `${from.server} is ${old.did}, and ${to.server} is ${next.did}`,
      next: "Give the new server the PUBLIC_URL of the old one, and its MASTER_KEY, PLC_ROTATION_KEY and ADMIN_PASSWORD."
    })
  }
  for (const remote of [from, to]) {
    if ((yield* storeOf(remote)) !== null) continue
    return yield* new Failed({
      message: `${remote.server} has no backup store`,
      next: "Set the same BACKUP_S3_URL on both servers, or the same BACKUP_DIR on one machine."
    })
  }
})

const backUp = Effect.fnUntraced(function* (from: Remote) {
  const run = yield* follow(from)
  if (run?.outcome === "good") return run
  return yield* new Failed({
    message: `The old server's backup is not complete:\n${faultLines(run?.faults ?? [])}`,
    next: `Repair what is named, then run the command again. Look: ${nacre} check --all --server ${from.server}`
  })
})

/** The accounts that differ between the servers. */
const differing = Effect.fnUntraced(function* (from: Remote, to: Remote) {
  const [old, next] = [yield* accountsAt(from), yield* accountsAt(to)]
  const different = yield* Effect.filter(
    old.keys(),
    (did) =>
      Effect.map(
        Effect.all([treeIfThere(from, did), treeIfThere(to, did)]),
        ([there, here]) => there !== here || next.get(did) !== old.get(did)
      ),
    { concurrency: 4 }
  )
  return { accounts: old.size, different }
})

/** `nacre transplant` */
export const transplant = Command.make(
  "transplant",
  {
    from: Flag.String("from").pipe(
      Flag.withMetavar("URL"),
      Flag.withDescription("Where the old server answers, such as http://127.0.0.1:8787")
    ),
    to: Flag.String("to").pipe(
      Flag.withMetavar("URL"),
      Flag.withDescription(
        "Where the new server answers already, such as https://my-pds.me.workers.dev"
      )
    )
  },
  Effect.fnUntraced(function* (given) {
    const password =
      (yield* secretVariable("NACRE_ADMIN_PASSWORD")) ??
      (yield* askSecret({
        message: "Administrator password of both servers",
        otherwise: "NACRE_ADMIN_PASSWORD=… or NACRE_ADMIN_PASSWORD_FILE=<file>"
      }))
    const from = yield* asAdministrator(yield* checkedOrigin(given.from), password)
    const to = yield* asAdministrator(yield* checkedOrigin(given.to), password)
    yield* checkPair(from, to)
    yield* note("[1/3] Back up the old server")
    let run = yield* backUp(from)
    yield* note("[2/3] Restore on the new server")
    const { faults } = yield* restoreAll(to, run.run)
    yield* note("[3/3] Compare every account")
    let compared = yield* differing(from, to)
    for (let round = 0; round < mostRounds && compared.different.length > 0; round++) {
      yield* note(`${compared.different.length} accounts changed meanwhile: once more`)
      run = yield* backUp(from)
      for (const did of compared.different) yield* restoreOne(to, did, undefined, true)
      compared = yield* differing(from, to)
    }
    const next = [
      `Stop ${from.server}, so nobody writes there any more.`,
      `Run the same command once more if anyone may have written since ${run.run}; start ${from.server} for it behind no proxy.`,
      "Point the server's DNS names at the new server.",
      `Check it: ${nacre} status --server ${to.server}`,
      "Apps and browsers sign in again; passwords, app passwords, passkeys and authenticators work."
    ]
    const answer = { ...compared, backup: run.run, faults, next }
    yield* report(answer, () =>
      [
        facts([
          ["Accounts", String(compared.accounts)],
          ["Backup", run.run],
          ["Different", String(compared.different.length)]
        ]),
        ...(compared.different.length > 0 ? [] : ["", "Next:", ...next.map((line) => `  ${line}`)])
      ].join("\n")
    )
    if (compared.different.length === 0 && faults.length === 0) return
    return yield* new Failed({
      message:
        faults.length > 0
          ? `Damaged or missing objects of the backup: ${faults.length}\n${faultLines(faults)}`
          : `${compared.different.length} accounts differ: ${compared.different.slice(0, 5).join(", ")}`,
      next: "Accounts that changed their status or are written to all the time differ again and again: stop the traffic to the old server, and run the command again."
    })
  }, longWay)
).pipe(
  Command.withDescription(
    "Move a whole server between Cloudflare and a machine of your own, in either direction: back up the old one, restore it on the new one, and compare every account. Both have the same PUBLIC_URL and secrets, and the same backup store. The old server isn't changed."
  ),
  Command.withShortDescription("Move a whole server between Cloudflare and your own machine")
)
