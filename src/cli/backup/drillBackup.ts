import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Redacted from "effect/Redacted"
import * as Command from "effect/cli/Command"
import { Failed } from "../failure.ts"
import { facts, note, report } from "../output.ts"
import { administrator } from "../administrator.ts"
import { secretVariable } from "../session.ts"
import { faultLines } from "./backups.ts"

/** The result of a drill. */
interface Drilled {
  readonly run: string
  readonly madeAt: string
  readonly accounts: number
  readonly records: number
  readonly blobs: number
  readonly faults: ReadonlyArray<{
    readonly did?: string
    readonly key?: string
    readonly problem: string
  }>
}

/** Runs a drill in an in-memory server. The program provides it, because the command itself only speaks HTTP. */
export const Drill = Context.Reference<
  (of: {
    readonly server: string
    readonly authorization: string
    readonly masterKey: string
  }) => Effect.Effect<Drilled, { readonly message: string }>
>("nacre/cli/Drill", {
  defaultValue: () => () => Effect.fail({ message: "This program has no server in memory" })
})

/** `nacre backup drill` */
export const drill = Command.make(
  "drill",
  {},
  Effect.fnUntraced(function* () {
    const { server, authorization } = yield* administrator
    const masterKey = yield* secretVariable("MASTER_KEY")
    if (masterKey === undefined || authorization === undefined) {
      return yield* new Failed({
        message: "A drill opens the private part of the backup, which needs MASTER_KEY",
        next: "Set MASTER_KEY, or MASTER_KEY_FILE to a file that contains only the key."
      })
    }
    yield* note("Restoring the newest backup into a server in memory")
    const drilled = yield* (yield* Drill)({
      server,
      authorization: yield* authorization,
      masterKey: Redacted.value(masterKey)
    }).pipe(Effect.mapError(({ message }) => new Failed({ message })))
    yield* report(drilled, ({ run, madeAt, accounts, records, blobs }) =>
      facts([
        ["Backup", `${run}, made ${madeAt}`],
        ["Restored", `${accounts} accounts, ${records} records, ${blobs} blobs`]
      ])
    )
    if (drilled.faults.length === 0) return
    return yield* new Failed({
      hasResult: true,
      message: `${drilled.faults.length} differences:\n${faultLines(drilled.faults)}`,
      next: "Make a new backup and drill again: nacre backup now"
    })
  })
).pipe(
  Command.withDescription(
    "Restore the newest backup into a server in memory and compare it, without changing anything"
  )
)
