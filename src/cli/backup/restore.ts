import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import * as Schema from "effect/Schema"
import * as Argument from "effect/cli/Argument"
import * as Command from "effect/cli/Command"
import * as Flag from "effect/cli/Flag"
import { nacre } from "../../../scripts/project.ts"
import { Cursor, Did, Words } from "../answers.ts"
import { CallFailed, Failed } from "../failure.ts"
import { wholeHandle } from "../handles.ts"
import { facts, note, report } from "../output.ts"
import { longWay } from "../patience.ts"
import { administrator } from "../administrator.ts"
import { query, type Remote } from "../xrpc.ts"
import { Fault, faultLines } from "./backups.ts"
import { restoreAt } from "./restoreAt.ts"
import { restoreFolder } from "./restoreFolder.ts"
import { confirm, part, path } from "./restoring.ts"

const Restored = Schema.Struct({
  did: Did,
  kind: Words,
  version: Words,
  madeAt: Words,
  records: Schema.Int,
  blobs: Schema.Int,
  faults: Schema.Array(Fault)
})

type Restored = typeof Restored.Type

const isExisting = (error: unknown): boolean =>
  error instanceof CallFailed && error.error === "AlreadyExists"

/** Restores an account; if it is there, replaces its records, blobs and preferences once that is confirmed. */
export const restoreOne = Effect.fnUntraced(function* (
  admin: Remote,
  given: string,
  backup: string | undefined,
  isSure: boolean
) {
  const account = given.startsWith("did:") ? given : yield* wholeHandle(admin.server, given)
  const faults: Array<typeof Fault.Type> = []
  let blobs = 0
  let replace: string | undefined
  let last: Restored | undefined
  while (last === undefined || last.kind === "more") {
    const params: Readonly<Record<string, string | undefined>> = { account, backup, replace }
    const answer = yield* part(admin, "restore", Restored, params).pipe(
      Effect.catchIf(
        (error) => replace === undefined && isExisting(error),
        () => Effect.undefined
      )
    )
    if (answer === undefined) {
      yield* confirm(account, isSure)
      replace = "true"
      continue
    }
    faults.push(...answer.faults)
    blobs += answer.blobs
    last = answer
    if (last.kind === "more") yield* note(`${blobs} blobs restored`)
  }
  return { ...last, blobs, faults }
})

const words = ({ did, kind, version, madeAt, records, blobs }: Restored): string =>
  facts([
    ["Account", did],
    ["Backup", `${version}, made ${madeAt}`],
    ["Records", String(records)],
    ["Blobs", String(blobs)],
    [
      "Restored",
      kind === "replaced"
        ? "records, blobs and preferences; the handle, password and other sign-in methods are unchanged"
        : "everything; sessions aren't backed up, so apps sign in again"
    ]
  ])

const ServerPart = Schema.Struct({
  run: Words,
  madeAt: Words,
  accounts: Schema.Int,
  restored: Schema.Array(Restored),
  faults: Schema.Array(Fault),
  cursor: Schema.optionalKey(Cursor)
})

/** Restores every account of a backup that isn't on the server. */
export const restoreAll = Effect.fnUntraced(function* (admin: Remote, backup: string | undefined) {
  const restored: Array<Restored> = []
  const faults: Array<typeof Fault.Type> = []
  let run = backup
  let cursor: string | undefined
  let last: typeof ServerPart.Type
  do {
    last = yield* part(admin, "restore-server", ServerPart, { backup: run, cursor })
    run = last.run
    cursor = last.cursor
    restored.push(...last.restored)
    faults.push(...last.faults)
    yield* note(`${restored.length} of ${last.accounts} accounts`)
  } while (cursor !== undefined)
  const { madeAt, accounts } = last
  return { run, madeAt, accounts, restored, faults }
})

const assertWhole = (faults: ReadonlyArray<typeof Fault.Type>) =>
  faults.length === 0
    ? Effect.void
    : Effect.fail(
        new Failed({
          message: `Damaged or missing objects of the backup: ${faults.length}\n${faultLines(faults)}`,
          next: "Everything else is restored."
        })
      )

/** `nacre restore`: restores an account or a whole server from the backups. */
export const restore = Command.make(
  "restore",
  {
    account: Argument.String("account").pipe(
      Argument.withDescription("The account's handle; its DID if it's no longer on the server"),
      Argument.optional
    ),
    all: Flag.Boolean("all").pipe(
      Flag.withDescription("Restore every account that isn't here, onto an empty server"),
      Flag.withDefault(false)
    ),
    at: Flag.String("at").pipe(
      Flag.withMetavar("time"),
      Flag.withDescription(
        "Instead of a backup, the account as it was at a time of the last 30 days, such as 2026-01-01T03:00:00Z; only on Cloudflare"
      ),
      Flag.optional
    ),
    backup: Flag.String("backup").pipe(
      Flag.withMetavar("name"),
      Flag.withDescription("The backup, such as 20260101T030000Z; default: the newest"),
      Flag.optional
    ),
    folder: Flag.String("folder").pipe(
      Flag.withMetavar("folder"),
      Flag.withDescription("Save the backup in a folder for nacre import, and change nothing"),
      Flag.optional
    ),
    list: Flag.Boolean("list").pipe(
      Flag.withDescription("Only list the backups of the account"),
      Flag.withDefault(false)
    ),
    yes: Flag.Boolean("yes").pipe(
      Flag.withDescription("Don't ask for confirmation"),
      Flag.withDefault(false)
    )
  },
  Effect.fnUntraced(function* ({ account, all, at, backup, folder, list, yes }) {
    const wanted = Option.getOrUndefined(backup)
    const name = Option.getOrUndefined(account)
    if (all === (name !== undefined)) {
      return yield* new Failed({
        message: "Choose what to restore: an account, or the whole server",
        next: `${nacre} restore alice.example.com, or ${nacre} restore --all`
      })
    }
    if (all && (list || Option.isSome(folder))) {
      return yield* new Failed({ message: "--list and --folder are for one account" })
    }
    const time = Option.getOrUndefined(at)
    if (time !== undefined) {
      if (name === undefined || wanted !== undefined || list || Option.isSome(folder)) {
        return yield* new Failed({
          message: "--at restores one account without a backup",
          next: `${nacre} restore alice.example.com --at ${time}`
        })
      }
      return yield* restoreAt(name, time, yes)
    }
    if (name === undefined) {
      const whole = yield* restoreAll(yield* administrator, wanted)
      yield* report(whole, ({ run, madeAt, accounts, restored }) =>
        facts([
          ["Backup", run],
          ["Made", `${madeAt}. Everything later is lost`],
          ["Accounts", String(accounts)],
          ["Restored", String(restored.filter(({ kind }) => kind === "created").length)],
          ["Already here", String(restored.filter(({ kind }) => kind === "exists").length)]
        ])
      )
      return yield* assertWhole(whole.faults)
    }
    if (list) {
      const admin = yield* administrator
      const schema = Schema.Struct({ did: Did, backups: Schema.Array(Words) })
      const found = yield* query(admin, `${path}/account`, schema, { account: name })
      return yield* report(found, ({ backups }) =>
        backups.length === 0 ? "No backups of this account." : backups.join("\n")
      )
    }
    if (Option.isSome(folder)) {
      const admin = yield* administrator
      const of = { account: name, backup: wanted, name: folder.value }
      const saved = yield* restoreFolder(admin, of)
      return yield* report(saved, ({ did, backup: version, madeAt, records, blobs }) =>
        facts([
          ["Account", did],
          ["Folder", folder.value],
          ["Backup", `${version}, made ${madeAt}`],
          ["Records", String(records)],
          ["Blobs", String(blobs)]
        ])
      )
    }
    const one = yield* restoreOne(yield* administrator, name, wanted, yes)
    yield* report(one, words)
    yield* assertWhole(one.faults)
  }, longWay)
).pipe(
  Command.withDescription(
    "Restore an account or a whole server from the server's backups. Resumable: run it again to continue"
  ),
  Command.withExamples([
    {
      command: "nacre restore alice.example.com",
      description: "Puts back the records, blobs and preferences of the newest backup"
    },
    {
      command: "nacre restore --all",
      description: "Fills an empty server that has the same secrets and backup store"
    }
  ])
)
