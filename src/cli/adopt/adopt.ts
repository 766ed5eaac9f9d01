import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as FileSystem from "effect/FileSystem"
import * as Option from "effect/Option"
import * as Path from "effect/Path"
import * as Argument from "effect/cli/Argument"
import * as Command from "effect/cli/Command"
import * as Flag from "effect/cli/Flag"
import { nacre } from "../../../scripts/project.ts"
import type { AdoptionReport } from "../../core/accounts/adoption.ts"
import { Failed } from "../failure.ts"
import { readVars, setVars } from "../host/vars.ts"
import { report } from "../output.ts"
import { withProgress } from "../progress.ts"
import { settingsAfter, settingsLeft } from "./settings.ts"
import { wordsOf } from "./words.ts"

/** What to adopt, and where. */
interface Asked {
  readonly source: string
  readonly variables: Readonly<Record<string, string>>
  readonly folder: string
  readonly env: Readonly<Record<string, string>>
  readonly isDry: boolean
  readonly skip: ReadonlySet<string>
  readonly onAccount: (done: number, total: number) => Effect.Effect<void>
}

/** Copies a reference PDS's data. The program provides it, because the command itself only speaks HTTP. */
export const Adoption = Context.Reference<
  (asked: Asked) => Effect.Effect<AdoptionReport, { readonly message: string }>
>("nacre/cli/Adoption", {
  defaultValue: () => () => Effect.fail({ message: "This program has no server" })
})

/** The old server's variables, from its file. */
const variablesOf = Effect.fnUntraced(function* (file: string) {
  const files = yield* FileSystem.FileSystem
  if (!(yield* Effect.orElseSucceed(files.exists(file), () => false))) {
    return yield* new Failed({
      message: `There is no file ${file}`,
      next: "Name the file with the old server's variables (PDS_HOSTNAME and so on): --env <file>"
    })
  }
  const variables = yield* readVars(file)
  if (variables["PDS_PLC_ROTATION_KEY_K256_PRIVATE_KEY_HEX"] !== undefined) return variables
  return yield* new Failed({
    message: `${file} lacks PDS_PLC_ROTATION_KEY_K256_PRIVATE_KEY_HEX, which changes the accounts' identities`,
    next: "Name the file with the old server's variables: --env <file>"
  })
})

/** The new server's variables; refuses a folder of another server. */
const envOf = Effect.fnUntraced(function* (
  variables: Readonly<Record<string, string>>,
  known: Readonly<Record<string, string>>,
  folder: string
) {
  const env = settingsAfter(variables, known)
  for (const name of ["PUBLIC_URL", "PLC_ROTATION_KEY"] as const) {
    if (known[name] === undefined || known[name] === env[name]) continue
    return yield* new Failed({
      message: `${folder} belongs to another server: its ${name} is not the old server's`,
      next: "Choose another folder with --data, or remove that line from its nacre.env."
    })
  }
  return env
})

/** `nacre adopt` */
export const adopt = Command.make(
  "adopt",
  {
    source: Argument.String("folder").pipe(
      Argument.withDescription("The old server's data folder, the one with account.sqlite")
    ),
    data: Flag.String("data").pipe(
      Flag.withMetavar("folder"),
      Flag.withDescription("The new server's data folder"),
      Flag.withDefault("data")
    ),
    env: Flag.String("env").pipe(
      Flag.withMetavar("file"),
      Flag.withDescription("The old server's variables; default: pds.env in its folder"),
      Flag.optional
    ),
    dryRun: Flag.Boolean("dry-run").pipe(
      Flag.withDescription("Only verify the old data and say what would be done"),
      Flag.withDefault(false)
    ),
    skip: Flag.String("skip").pipe(
      Flag.withMetavar("DID"),
      Flag.withDescription("Leave out an account whose data is damaged; repeatable"),
      Flag.between(0, 10_000)
    )
  },
  Effect.fnUntraced(function* (given) {
    const path = yield* Path.Path
    const source = path.resolve(given.source)
    const folder = path.resolve(given.data)
    const file = path.join(folder, "nacre.env")
    const variables = yield* variablesOf(
      Option.getOrElse(given.env, () => path.join(source, "pds.env"))
    )
    const known = yield* readVars(file)
    const env = yield* envOf(variables, known, folder)
    const run = yield* Adoption
    const ask = (isDry: boolean) =>
      withProgress({ label: isDry ? "Verified" : "Copied" }, ({ advance }) =>
        run({
          source,
          variables,
          folder,
          env,
          isDry,
          skip: new Set(given.skip),
          onAccount: () => advance(1)
        })
      ).pipe(Effect.mapError(({ message }) => new Failed({ message })))
    if (!given.dryRun) {
      yield* Effect.mapError(
        Effect.flatMap(FileSystem.FileSystem, (files) =>
          files.makeDirectory(folder, { recursive: true, mode: 0o700 })
        ),
        ({ message }) => new Failed({ message: `Couldn't make the folder ${folder}: ${message}` })
      )
      // Before the first key is sealed under it.
      yield* setVars(file, env)
    }
    const adopted = yield* ask(given.dryRun)
    const answer = {
      dryRun: given.dryRun,
      ...adopted,
      letGo: [...adopted.letGo, ...settingsLeft(variables)],
      file
    }
    yield* report(answer, (value) => wordsOf(value, folder))
    if (adopted.faults.length === 0) return
    return yield* new Failed({
      message: `${adopted.faults.length} ${adopted.faults.length === 1 ? "account" : "accounts"} can't be adopted as they are`,
      next: `Repair them on the old server, or leave one out with --skip <DID>, then run ${nacre} adopt again. Accounts that are done are not copied twice.`
    })
  })
).pipe(
  Command.withDescription(
    "Take the place of a reference PDS: copy its accounts with their repos, blobs, passwords, sessions, keys and invites into a new data folder. The old folder is only read. Stop the old server first, and begin with --dry-run."
  ),
  Command.withShortDescription("Take the place of a reference PDS on this machine")
)
