import * as Effect from "effect/Effect"
import * as Schema from "effect/Schema"
import * as Command from "effect/cli/Command"
import { nacre } from "../../../scripts/project.ts"
import { Did, Words } from "../answers.ts"
import { Failed } from "../failure.ts"
import { bytes, facts, moment, note, report, table, utcSecond } from "../output.ts"
import { longWay, Pause } from "../patience.ts"
import { administrator } from "../administrator.ts"
import { procedure, query, type Remote } from "../xrpc.ts"

const path = "admin/backups"

/** A problem with a backup. */
export const Fault = Schema.Struct({
  did: Schema.optionalKey(Did),
  key: Schema.optionalKey(Words),
  problem: Words
})

const Run = Schema.Struct({
  run: Words,
  startedAt: Schema.Finite,
  finishedAt: Schema.optionalKey(Schema.Finite),
  outcome: Schema.optionalKey(Words),
  phase: Words,
  attempts: Schema.Int,
  accounts: Schema.Int,
  changed: Schema.Int,
  failed: Schema.Int,
  blobs: Schema.Int,
  bytes: Schema.Finite,
  sampled: Schema.Int,
  faulty: Schema.Int,
  faults: Schema.Array(Fault)
})

type Run = typeof Run.Type

const Advanced = Schema.Struct({
  run: Schema.NullOr(Run),
  heldUntil: Schema.optionalKey(Schema.Finite)
})

/** A line per fault: its place and the problem. */
export const faultLines = (faults: ReadonlyArray<typeof Fault.Type>): string =>
  faults.map(({ did, key, problem }) => `  ${key ?? did ?? "server"}: ${problem}`).join("\n")

const resultOf = (run: Run): string =>
  [
    facts([
      ["Backup", run.run],
      ["Result", run.outcome],
      ["Accounts", `${run.accounts}, ${run.changed} changed`],
      ["Failed", run.failed === 0 ? undefined : String(run.failed)],
      ["New blobs", String(run.blobs)],
      ["Stored", bytes(run.bytes)],
      ["Read back", `${run.sampled} objects of earlier backups`]
    ]),
    ...(run.faults.length === 0 ? [] : [faultLines(run.faults)])
  ].join("\n")

/** How long to wait before asking again for a backup that another process makes, or whose step failed; in milliseconds. */
const [whileHeld, afterFailure] = [5000, 2000]

/** A backup's progress in words, and how long to wait before it is asked for again, in milliseconds. */
const progressOf = ({ phase, attempts, accounts, blobs }: Run, heldUntil: number | undefined) => {
  const progress = `${phase}: ${accounts} accounts, ${blobs} new blobs`
  if (heldUntil !== undefined) {
    return {
      words: `${progress}. Another process is working on this backup, or was killed while it did. Waiting: if it doesn't continue, this command takes over at ${utcSecond(heldUntil)}`,
      pause: whileHeld
    }
  }
  return attempts === 0
    ? { words: progress, pause: 0 }
    : {
        words: `${progress}. A step failed. Retrying in ${afterFailure / 1000} s`,
        pause: afterFailure
      }
}

/** Starts a backup, or continues the one that runs, until it ends. */
const followOne = Effect.fnUntraced(function* (admin: Remote) {
  const wait = yield* Pause
  let at: typeof Advanced.Type = yield* procedure(admin, path, Advanced)
  let noted = ""
  while (at.run !== null && at.run.outcome === undefined) {
    const { words, pause } = progressOf(at.run, at.heldUntil)
    if (words !== noted || at.heldUntil === undefined) yield* note(words)
    noted = words
    if (pause > 0) yield* wait(pause)
    at = yield* procedure(admin, `${path}?run=${encodeURIComponent(at.run.run)}`, Advanced)
  }
  return at.run
})

/** Backs up the server as it is now; a backup that had begun before is followed by another one. */
export const follow = Effect.fnUntraced(function* (admin: Remote) {
  const { open } = yield* query(admin, path, Schema.Struct({ open: Schema.optionalKey(Run) }))
  const made = yield* followOne(admin)
  if (open === undefined || made?.run !== open.run) return made
  yield* note(`${open.run} had begun before. Backing up what has changed since`)
  return yield* followOne(admin)
})

const now = Command.make(
  "now",
  {},
  Effect.fnUntraced(function* () {
    const admin = yield* administrator
    const run = yield* follow(admin)
    if (run === null)
      return yield* new Failed({ message: "The server no longer knows this backup run" })
    if (run.outcome === "failed") {
      return yield* new Failed({
        message: `The backup failed:\n${faultLines(run.faults)}`,
        next: "Fix the cause, then run the command again."
      })
    }
    yield* report(run, resultOf)
    if (run.outcome === "good") return
    return yield* new Failed({
      hasResult: true,
      message: `Accounts or objects that aren't backed up correctly: ${run.faulty}`,
      next: "The next backup tries them again."
    })
  }, longWay)
).pipe(
  Command.withDescription(
    "Back up every account that has changed. Resumable: the server continues on its own, or run it again"
  )
)

const list = Command.make(
  "list",
  {},
  Effect.fnUntraced(function* () {
    const answer = yield* query(
      yield* administrator,
      path,
      Schema.Struct({
        store: Schema.NullOr(Words),
        open: Schema.optionalKey(Run),
        stored: Schema.optionalKey(Schema.Array(Words)),
        drill: Schema.optionalKey(Schema.Struct({ at: Schema.Finite, outcome: Words })),
        runs: Schema.Array(Run)
      })
    )
    yield* report(answer, ({ store, open, runs, drill, stored = [] }) => {
      if (store === null) return "This server has no backup store."
      const all = open === undefined ? runs : [open, ...runs]
      const drilled =
        drill === undefined ? "" : `\n\nLast drill: ${drill.outcome}, ${moment(drill.at)}`
      return `${table(
        ["BACKUP", "ENDED", "RESULT", "ACCOUNTS", "CHANGED", "STORED"],
        all.map((run) => [
          run.run,
          moment(run.finishedAt),
          run.outcome ?? `${run.phase} …`,
          String(run.accounts),
          String(run.changed),
          bytes(run.bytes)
        ]),
        stored.length === 0
          ? `No backups yet. Make one: ${nacre} backup now`
          : `This server has made no backup yet, but its store has some:\n${stored.join("\n")}\nBring them back: ${nacre} restore --all`
      )}${drilled}`
    })
  })
).pipe(Command.withDescription("List the server's backups"))

const Verified = Schema.Struct({
  accounts: Schema.Int,
  objects: Schema.Int,
  faults: Schema.Array(Fault),
  after: Schema.optionalKey(Did)
})

const verify = Command.make(
  "verify",
  {},
  Effect.fnUntraced(function* () {
    const admin = yield* administrator
    const faults: Array<typeof Fault.Type> = []
    let accounts = 0
    let objects = 0
    let after: string | undefined
    do {
      const query = after === undefined ? "" : `?after=${encodeURIComponent(after)}`
      const part: typeof Verified.Type = yield* procedure(admin, `${path}/verify${query}`, Verified)
      accounts += part.accounts
      objects += part.objects
      faults.push(...part.faults)
      after = part.after
      if (after !== undefined) yield* note(`${accounts} accounts verified`)
    } while (after !== undefined)
    yield* report({ accounts, objects, faults }, () =>
      facts([
        ["Accounts", String(accounts)],
        ["Sound", `${objects} objects`],
        ["Damaged", faults.length === 0 ? "none" : String(faults.length)]
      ])
    )
    if (faults.length === 0) return
    return yield* new Failed({
      hasResult: true,
      message: `Damaged objects: ${faults.length}\n${faultLines(faults)}`,
      next: `The next backup writes these accounts again: ${nacre} backup now`
    })
  }, longWay)
).pipe(Command.withDescription("Read back the newest backup of every account, every byte of it"))

/** The commands about a server's backups. */
export const backupCommands = [now, list, verify] as const
