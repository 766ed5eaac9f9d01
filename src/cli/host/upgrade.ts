import * as Effect from "effect/Effect"
import * as FileSystem from "effect/FileSystem"
import * as Option from "effect/Option"
import * as Path from "effect/Path"
import * as Schema from "effect/Schema"
import * as Command from "effect/cli/Command"
import * as Flag from "effect/cli/Flag"
import { nacre } from "../../../scripts/project.ts"
import { schemaVersion } from "../../core/host/schemaVersion.ts"
import { version as running } from "../../core/host/version.ts"
import { Words } from "../answers.ts"
import { Failed } from "../failure.ts"
import { note, report } from "../output.ts"
import { confirm } from "../prompts.ts"
import { envFlag, theEnvironment } from "./environment.ts"
import { install, isProject, newestVersion, runInstalled, wayBack } from "./packages.ts"
import { upgradeConfig } from "./upgradeConfig.ts"

/** The description of an installed version. */
const Manifest = Schema.fromJsonString(
  Schema.Struct({
    version: Words,
    nacre: Schema.optionalKey(Schema.Struct({ schemaVersion: Schema.Int }))
  })
)

const folder = "node_modules/nacre"

const installed = Effect.gen(function* () {
  const files = yield* FileSystem.FileSystem
  return yield* files.readFileString(`${folder}/package.json`).pipe(
    Effect.flatMap(Schema.decodeEffect(Manifest)),
    Effect.mapError(
      () =>
        new Failed({
          message: "This folder has no installed nacre package",
          next: "Run npm install in the project's folder, then run the command again."
        })
    )
  )
})

/** The changelog's sections above a version: the changes since. */
const newsSince = (changelog: string, version: string): string => {
  const [, ...sections] = changelog.split(/^## /m)
  const at = sections.findIndex((section) => section.split(/\s/, 1)[0] === version)
  return sections
    .slice(0, at < 0 ? 1 : at)
    .map((section) => `## ${section.trim()}`)
    .join("\n\n")
}

const changes = Effect.gen(function* () {
  const files = yield* FileSystem.FileSystem
  const text = yield* Effect.orElseSucceed(files.readFileString(`${folder}/CHANGELOG.md`), () => "")
  return newsSince(text, running)
})

const isOlder = (version: string, than: string): boolean =>
  version.localeCompare(than, "en", { numeric: true }) < 0

/** The address of the deployed server, as the configuration has it. */
const deployedUrl = Effect.fnUntraced(function* (env: Option.Option<string>) {
  const environment = yield* Effect.orElseSucceed(theEnvironment(env), () => undefined)
  const url = environment?.section.vars?.["PUBLIC_URL"]
  return typeof url === "string" ? url : undefined
})

/** Backs the server up; after a failure, continues only if that is safe. */
const backUp = Effect.fnUntraced(function* (
  server: string,
  { forwardOnly, yes }: { readonly forwardOnly: boolean; readonly yes: boolean }
) {
  yield* note(`Backing up ${server}…`)
  if (yield* runInstalled(["backup", "now", "--server", server])) return true
  yield* note("There is no new backup: see above.")
  if (yes && !forwardOnly) return true
  if (!yes && (yield* confirm("Deploy without a new backup?", { yes: false }))) return true
  return false
})

/**
 * `nacre upgrade`: installs a newer version, and returns to the old one if it doesn't become ready.
 */
export const upgrade = Command.make(
  "upgrade",
  {
    env: envFlag,
    to: Flag.String("to").pipe(
      Flag.withMetavar("version"),
      Flag.withDescription("The version, or a tarball's file; default: the newest"),
      Flag.optional
    ),
    yes: Flag.Boolean("yes").pipe(
      Flag.withDescription("Deploy without asking"),
      Flag.withDefault(false)
    ),
    deploy: Flag.Boolean("deploy").pipe(
      Flag.withDescription("Deploy the new version; --no-deploy only installs it"),
      Flag.withDefault(true)
    ),
    backup: Flag.Boolean("backup").pipe(
      Flag.withDescription("Back up the server before the deployment; --no-backup doesn't"),
      Flag.withDefault(true)
    )
  },
  Effect.fnUntraced(function* ({ backup, deploy, env, to, yes }) {
    const path = yield* Path.Path
    if (!(yield* isProject)) {
      return yield* new Failed({
        message: "This folder isn't a project that depends on nacre",
        next: "Run the command in your project's folder. In a clone of the repository, update with git pull and deploy."
      })
    }
    const target = Option.isSome(to) ? to.value : yield* newestVersion
    if (target === running) {
      yield* report(
        { from: running, to: running, deployed: false },
        () => `${running} is the newest version.`
      )
      return
    }
    const spec = target.endsWith(".tgz") ? path.resolve(target) : `nacre@${target}`
    const back = yield* wayBack
    yield* note(`Installing ${target}…`)
    yield* install(spec)
    const { version, nacre: described } = yield* installed
    yield* note(`\n${yield* changes}\n`)
    const forwardOnly = (described?.schemaVersion ?? 1) > schemaVersion
    if (forwardOnly) {
      yield* note(
        `Version ${version} changes how data is stored. Once it has run, you can't go back to ${running}.`
      )
    }
    const ofEnv = Option.isSome(env) ? ["--env", env.value] : []
    // The new version knows what its configuration needs; an older one needs nothing more.
    if (!isOlder(version, running) && !(yield* runInstalled(["upgrade", "config", ...ofEnv]))) {
      return yield* new Failed({
        message: `${version} is installed, but its configuration isn't complete. Nothing was deployed`,
        next: `Do what the message above says, then deploy: ${nacre} deploy. To go back: ${back.words}`
      })
    }
    const stay = () =>
      `Installed ${version}. Nothing was deployed. To deploy: ${nacre} deploy. To go back: ${back.words}`
    const notDeployed = { from: running, to: version, deployed: false }
    if (!deploy) return yield* report(notDeployed, stay)
    if (!(yield* confirm(`Deploy ${version} now?`, { yes, initial: !forwardOnly }))) {
      return yield* report(notDeployed, stay)
    }
    const server = backup ? yield* deployedUrl(env) : undefined
    if (server !== undefined && !(yield* backUp(server, { forwardOnly, yes }))) {
      return yield* new Failed({
        message: `There is no new backup, so ${version} wasn't deployed`,
        next: `Fix the backup and run the command again, or deploy without one: --no-backup. To go back: ${back.words}`
      })
    }
    const words = ["deploy", ...ofEnv]
    if (yield* runInstalled(words)) {
      yield* report({ from: running, to: version, deployed: true }, () =>
        forwardOnly
          ? `Updated from ${running} to ${version}.`
          : `Updated from ${running} to ${version}. To go back: ${back.words} && ${nacre} deploy`
      )
      return
    }
    if (forwardOnly) {
      return yield* new Failed({
        message: `${version} is deployed, but didn't become ready. Its data can't be read by ${running}`,
        next: `Fix the problem above and deploy again: ${nacre} deploy`
      })
    }
    yield* note(`${version} didn't become ready. Going back to ${running}…`)
    yield* install(back.spec)
    const isBack = yield* runInstalled(words)
    return yield* new Failed({
      message: isBack
        ? `${version} didn't become ready, so ${running} is deployed again`
        : `${version} didn't become ready, and neither did ${running} after it`,
      next: `See the output above, and ${nacre} logs.`
    })
  })
).pipe(
  Command.withDescription(
    "Update the project to a newer version of Nacre: show what changes, install it, add what it needs to the wrangler configuration, " +
      "back up the server, deploy, and wait until it is ready. If it doesn't become ready, the version before is deployed again, " +
      "unless stored data only goes forward."
  ),
  Command.withShortDescription("Update to a newer version of Nacre"),
  Command.withSubcommands([upgradeConfig])
)
