import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Stdio from "effect/Stdio"
import * as CliConfig from "effect/cli/CliConfig"
import * as CliOutput from "effect/cli/CliOutput"
import * as Command from "effect/cli/Command"
import * as GlobalFlag from "effect/cli/GlobalFlag"
import { account } from "./account/account.ts"
import { adopt } from "./adopt/adopt.ts"
import { backup } from "./backup/backup.ts"
import { exportAccount } from "./backup/export.ts"
import { check } from "./backup/check.ts"
import { repair } from "./backup/repair.ts"
import { restore } from "./backup/restore.ts"
import { transplant } from "./backup/transplant.ts"
import { importAccount } from "./backup/import.ts"
import { startCommand } from "../../scripts/project.ts"
import { type CliFailure, explain, Failed, isReported } from "./failure.ts"
import { globalFlags } from "./flags.ts"
import { deploy } from "./host/deploy.ts"
import { dev } from "./host/dev.ts"
import { serve } from "./host/serve.ts"
import { init } from "./setUp/init.ts"
import { logs } from "./host/logs.ts"
import { open } from "./host/open.ts"
import { secret } from "./host/secret.ts"
import { upgrade } from "./host/upgrade.ts"
import { version as versions } from "./host/version.ts"
import { identity } from "./identity/identity.ts"
import { invite } from "./invite.ts"
import { mail } from "./mail.ts"
import { key } from "./key/key.ts"
import { leave } from "./leave.ts"
import { login } from "./login/login.ts"
import { logout, profiles } from "./login/logout.ts"
import { migrate } from "./migrate/migrate.ts"
import { recover } from "./recover/recover.ts"
import { note, printJson, style } from "./output.ts"
import { audit } from "./operators/audit.ts"
import { announce } from "./operators/announce.ts"
import { moderate } from "./operators/moderate.ts"
import { operator } from "./operators/operator.ts"
import { watch } from "./operators/watch.ts"
import { passkey } from "./passkey.ts"
import { token } from "./token.ts"
import { relays } from "./relays/command.ts"
import { status } from "./status.ts"

const root = Command.make("nacre").pipe(
  Command.withDescription(
    "Set up and manage a Nacre server and its accounts.\n\n" +
      "Passwords are never arguments. The command asks for them, or reads NACRE_PASSWORD (the account's) and " +
      "NACRE_ADMIN_PASSWORD, or the files named by NACRE_PASSWORD_FILE and NACRE_ADMIN_PASSWORD_FILE. " +
      `For a local server started with ${startCommand}, it finds them in the data folder. NACRE_CODE is the second-factor code.`
  ),
  Command.withSubcommands([
    init,
    dev,
    serve,
    adopt,
    deploy,
    upgrade,
    login,
    logout,
    profiles,
    status,
    account,
    invite,
    mail,
    identity,
    key,
    passkey,
    token,
    operator,
    moderate,
    announce,
    audit,
    watch,
    relays,
    backup,
    restore,
    check,
    repair,
    exportAccount,
    importAccount,
    migrate,
    transplant,
    leave,
    recover,
    secret,
    logs,
    open,
    versions
  ]),
  Command.withGlobalFlags(globalFlags)
)

/** Reports a failure on stderr, and on stdout as JSON with `--json`. */
const tell = Effect.fnUntraced(function* (failure: CliFailure) {
  const { bad } = yield* style
  const args = yield* (yield* Stdio.Stdio).args
  const { error, message, next } = explain(failure, args.includes("--verbose"))
  yield* note(`${bad("Error:")} ${message}${next === undefined ? "" : `\n${next}`}`)
  const hasResult = failure instanceof Failed && failure.hasResult === true
  if (args.includes("--json") && !hasResult) yield* printJson({ error, message, next })
})

/** Reports a usage error: on stderr, and as JSON for scripts. */
const present = Effect.fnUntraced(function* (event: CliOutput.Presenter.Event) {
  if (event._tag !== "InvalidInvocation") return yield* CliOutput.defaultPresenter.present(event)
  const { bad } = yield* style
  const message = event.errors.map((error) => error.message).join("\n")
  const next = `See the usage: ${event.commandPath.join(" ")} --help`
  yield* note(`${bad("Error:")} ${message}\n${next}`)
  const args = yield* (yield* Stdio.Stdio).args
  if (args.includes("--json")) {
    yield* printJson({ error: "Usage", message, next })
  }
})

const presenter = Layer.unwrap(
  Effect.map(Stdio.Stdio, (stdio) =>
    CliOutput.layerPresenter({
      present: (event) => Effect.provideService(present(event), Stdio.Stdio, stdio)
    })
  )
)

const builtIns = [GlobalFlag.Help, GlobalFlag.Version, GlobalFlag.Completions]

/** Runs the command with the process's arguments. */
export const run = (version: string) =>
  Command.run(root, { version }).pipe(
    Effect.scoped,
    Effect.tapError((error) => (isReported(error) ? tell(error) : Effect.void)),
    // Ctrl-C: the shell's prompt gets a line of its own.
    Effect.onInterrupt(() => note("\nStopped.")),
    Effect.provide(Layer.merge(CliConfig.layer({ builtIns }), presenter))
  )
