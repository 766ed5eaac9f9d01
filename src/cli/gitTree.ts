import * as Effect from "effect/Effect"
import * as FileSystem from "effect/FileSystem"
import * as Path from "effect/Path"
import * as ChildProcess from "effect/process/ChildProcess"
import { ChildProcessSpawner } from "effect/process/ChildProcessSpawner"
import { Failed } from "./failure.ts"

/** The git work tree that a file is or would be in; undefined outside of one. */
const workTreeOf = Effect.fnUntraced(function* (file: string) {
  const path = yield* Path.Path
  const files = yield* FileSystem.FileSystem
  for (let folder = path.dirname(path.resolve(file)); ; folder = path.dirname(folder)) {
    const isTree = yield* Effect.orElseSucceed(files.exists(path.join(folder, ".git")), () => false)
    if (isTree) return folder
    if (path.dirname(folder) === folder) return undefined
  }
})

/** Whether git ignores a file of a work tree; false without git. */
const isIgnored = Effect.fnUntraced(function* (file: string, tree: string) {
  const spawner = yield* ChildProcessSpawner
  const quiet = { stdin: "ignore", stdout: "ignore", stderr: "ignore" } as const
  const command = ChildProcess.make("git", ["-C", tree, "check-ignore", "--quiet", file], quiet)
  const asked = Effect.flatMap(spawner.spawn(command), ({ exitCode }) => exitCode)
  return yield* Effect.scoped(asked).pipe(
    Effect.match({ onFailure: () => false, onSuccess: (code) => code === 0 })
  )
})

/**
 * Fails if a key's file is inside a git work tree: a commit would publish it, and `git clean`
 * deletes ignored files.
 */
export const refuseWorkTree = Effect.fnUntraced(function* (file: string) {
  const path = yield* Path.Path
  const tree = yield* workTreeOf(file)
  if (tree === undefined) return
  return yield* new Failed({
    message: `${file} would be inside the git repository ${tree}. Keys don't belong in a repository`,
    next: `Choose a file outside of it, such as ~/${path.basename(file)}`
  })
})

/** Fails if git would commit a file of secrets. */
export const refuseUnignored = Effect.fnUntraced(function* (file: string) {
  const path = yield* Path.Path
  const whole = path.resolve(file)
  const tree = yield* workTreeOf(whole)
  if (tree === undefined || (yield* isIgnored(whole, tree))) return
  return yield* new Failed({
    message: `${file} would hold secrets, and the git repository ${tree} doesn't ignore it. Nothing was written`,
    next: "Add these lines to its .gitignore, then run the command again:\n  .dev.vars*\n  .secrets.*"
  })
})
