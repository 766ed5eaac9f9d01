import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import * as Redacted from "effect/Redacted"
import * as Schema from "effect/Schema"
import * as Command from "effect/cli/Command"
import * as Flag from "effect/cli/Flag"
import { nacre } from "../../../scripts/project.ts"
import { explain, Failed } from "../failure.ts"
import { facts, note, report } from "../output.ts"
import { administrator } from "../administrator.ts"
import { secretVariable } from "../session.ts"
import { procedure, type Remote } from "../xrpc.ts"
import { faultLines } from "./backups.ts"
import { path } from "./restoring.ts"

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

/** Sends a drill's result to the server, which keeps the last one. */
const send = (admin: Remote, result: object, faults: Drilled["faults"]) =>
  procedure(admin, `${path}/drill`, Schema.Struct({ at: Schema.Finite }), {
    accounts: 0,
    records: 0,
    blobs: 0,
    ...result,
    faulty: faults.length,
    problems: faults
      .slice(0, 10)
      .map(({ did, key, problem }) => `${key ?? did ?? "server"}: ${problem}`.slice(0, 500))
  })

/** `nacre backup drill` */
export const drill = Command.make(
  "drill",
  {
    report: Flag.Boolean("report").pipe(
      Flag.withDescription(
        "Send the result to the server, which shows it on the console, in /ready and in /metrics"
      ),
      Flag.withDefault(false)
    )
  },
  Effect.fnUntraced(function* ({ report: isReported }) {
    const admin = yield* administrator
    const { server, authorization } = admin
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
    }).pipe(
      Effect.catch(
        Effect.fnUntraced(function* ({ message }) {
          // A report that doesn't arrive must not hide the cause.
          if (isReported) {
            yield* Effect.ignore(send(admin, { outcome: "failed" }, [{ problem: message }]))
          }
          return yield* new Failed({ message })
        })
      )
    )
    yield* report(drilled, ({ run, madeAt, accounts, records, blobs }) =>
      facts([
        ["Backup", `${run}, made ${madeAt}`],
        ["Restored", `${accounts} accounts, ${records} records, ${blobs} blobs`]
      ])
    )
    const { run, accounts, records, blobs, faults } = drilled
    const outcome = faults.length === 0 ? "good" : "different"
    const sending = send(admin, { outcome, run, accounts, records, blobs }, faults)
    const unsent = isReported ? yield* Effect.option(Effect.flip(sending)) : Option.none()
    if (faults.length > 0) {
      return yield* new Failed({
        hasResult: true,
        message: `${faults.length} differences:\n${faultLines(faults)}`,
        next: `Make a new backup and drill again: ${nacre} backup now`
      })
    }
    if (Option.isNone(unsent)) return
    return yield* new Failed({
      hasResult: true,
      message: `The drill is good, but its report failed: ${explain(unsent.value).message}`
    })
  })
).pipe(
  Command.withDescription(
    "Restore the newest backup into a server in memory and compare it; no account and no backup changes"
  )
)
