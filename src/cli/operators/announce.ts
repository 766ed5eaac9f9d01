import * as Effect from "effect/Effect"
import * as FileSystem from "effect/FileSystem"
import * as Option from "effect/Option"
import * as Schema from "effect/Schema"
import * as Command from "effect/cli/Command"
import * as Flag from "effect/cli/Flag"
import { nacre } from "../../../scripts/project.ts"
import { yesFlag } from "../account/people.ts"
import { administrator } from "../administrator.ts"
import { Did, Words } from "../answers.ts"
import { Failed } from "../failure.ts"
import { wholeHandle } from "../handles.ts"
import { moment, note, report, table } from "../output.ts"
import { insist } from "../prompts.ts"
import { procedure, query } from "../xrpc.ts"

const optional = Schema.optionalKey

const Planned = Schema.Struct({
  id: optional(Schema.Int),
  accounts: Schema.Int,
  withoutAddress: Schema.Int,
  delivers: Schema.Boolean
})

const Listed = Schema.Struct({
  announcements: Schema.Array(
    Schema.Struct({
      id: Schema.Int,
      subject: Words,
      to: Schema.Union([Schema.Int, Words]),
      createdAt: Schema.Finite,
      endedAt: optional(Schema.Finite),
      sent: Schema.Int,
      withoutAddress: Schema.Int,
      unconfirmed: Schema.Int,
      failed: Schema.Array(Did),
      interrupted: Schema.Array(Did)
    })
  )
})

const list = Command.make(
  "list",
  {},
  Effect.fnUntraced(function* () {
    const admin = yield* administrator
    const listed = yield* query(admin, "admin/announcements", Listed)
    yield* report(listed, () =>
      table(
        ["WHEN", "SUBJECT", "TO", "SENT", "NO ADDRESS", "UNCONFIRMED", "FAILED", "STATE"],
        listed.announcements.map((one) => [
          moment(one.createdAt),
          one.subject,
          String(one.to),
          String(one.sent),
          String(one.withoutAddress),
          String(one.unconfirmed),
          [...one.failed, ...one.interrupted].join(" ") || "0",
          one.endedAt === undefined ? "sending" : "done"
        ]),
        "No announcements yet."
      )
    )
  })
).pipe(Command.withDescription("List announcements and how far they are"))

/** `nacre announce` */
export const announce = Command.make(
  "announce",
  {
    subject: Flag.String("subject").pipe(
      Flag.withDescription("The mail's subject"),
      Flag.withDefault("")
    ),
    file: Flag.String("file").pipe(
      Flag.withDescription("A file with the mail's plain text"),
      Flag.withDefault("")
    ),
    to: Flag.String("to").pipe(
      Flag.withMetavar("handles"),
      Flag.withDescription("Handles or DIDs, separated by commas; default: every active account"),
      Flag.optional
    ),
    dryRun: Flag.Boolean("dry-run").pipe(
      Flag.withDescription("Only count whom it would reach"),
      Flag.withDefault(false)
    ),
    yes: yesFlag
  },
  Effect.fnUntraced(function* ({ subject, file, to, dryRun, yes }) {
    if (subject === "" || file === "") {
      return yield* new Failed({
        message: "An announcement needs a subject and a text",
        next: 'For example: --subject "Maintenance on Sunday" --file notice.txt'
      })
    }
    const files = yield* FileSystem.FileSystem
    const text = yield* files.readFileString(file).pipe(
      Effect.mapError(
        () =>
          new Failed({
            message: `${file} can't be read`,
            next: "Write the mail's text into a file, and name it with --file"
          })
      )
    )
    const admin = yield* administrator
    const names = Option.match(to, {
      onNone: () => [],
      onSome: (some) => some.split(",").map((name) => name.trim())
    })
    const whole = yield* Effect.forEach(names, (name) => wholeHandle(admin.server, name))
    const input = { subject, text, to: whole }
    const path = "admin/announcements"
    const planned = yield* procedure(admin, path, Planned, { ...input, dryRun: true })
    if (!planned.delivers) {
      return yield* new Failed({
        message: `${admin.server} doesn't send email`,
        next: "Set MAILER: see docs/operate/mail.md"
      })
    }
    const { accounts, withoutAddress } = planned
    const counts =
      `${accounts} ${accounts === 1 ? "account" : "accounts"}` +
      (withoutAddress === 0 ? "" : ` (without an email address: ${withoutAddress})`)
    if (dryRun) return yield* report({ ...planned, dryRun }, () => `It would go to ${counts}.`)
    yield* insist(`Mail “${subject}” to ${counts}?`, yes)
    const made = yield* procedure(admin, path, Planned, input)
    yield* report(made, () => `The server sends “${subject}” to ${counts}.`)
    yield* note(`See how far it is: ${nacre} announce list`)
  })
).pipe(
  Command.withDescription(
    "Mail an announcement to all accounts, or to some. The server sends it in steps, within minutes, to each account once"
  ),
  Command.withShortDescription("Mail an announcement to all accounts, or to some"),
  Command.withExamples([
    {
      command: 'nacre announce --subject "Maintenance on Sunday" --file notice.txt',
      description: "Mail everybody"
    },
    {
      command: 'nacre announce --subject "Hello" --file hello.txt --to alice,bob --dry-run',
      description: "Count whom it would reach"
    }
  ]),
  Command.withSubcommands([list])
)
