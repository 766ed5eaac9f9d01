import * as Effect from "effect/Effect"
import * as Command from "effect/cli/Command"
import * as ChildProcess from "effect/process/ChildProcess"
import { ChildProcessSpawner } from "effect/process/ChildProcessSpawner"
import { note, report } from "../output.ts"
import { theServer } from "../place.ts"

/** The program that opens a URL in the browser. */
const opener = (url: string): ReadonlyArray<string> =>
  process.platform === "darwin"
    ? ["open", url]
    : process.platform === "win32"
      ? ["cmd", "/c", "start", "", url]
      : ["xdg-open", url]

/** `nacre open`: opens the account page in a browser. */
export const open = Command.make(
  "open",
  {},
  Effect.fnUntraced(function* () {
    const url = `${yield* theServer}/account`
    const spawner = yield* ChildProcessSpawner
    const [program = "", ...args] = opener(url)
    const command = ChildProcess.make(program, args, {
      stdin: "ignore",
      stdout: "ignore",
      stderr: "ignore"
    })
    const opened = yield* spawner.spawn(command).pipe(
      Effect.flatMap(({ exitCode }) => exitCode),
      Effect.scoped,
      Effect.match({ onFailure: () => false, onSuccess: (code) => code === 0 })
    )
    yield* report({ url, opened }, () => url)
    if (!opened) yield* note("Couldn't open a browser. Open the address above yourself.")
  })
).pipe(Command.withDescription("Open the account page in your browser"))
