import * as Effect from "effect/Effect"
import * as Command from "effect/cli/Command"
import * as Flag from "effect/cli/Flag"

const text = (name: string, metavar: string, description: string) =>
  Flag.String(name).pipe(
    Flag.withMetavar(metavar),
    Flag.withDescription(description),
    Flag.optional
  )

const folder = (name: string, description: string) => text(name, "path", description)

/** `nacre serve`, for the list of commands: the program runs the server before it gets here. */
export const serve = Command.make(
  "serve",
  {
    data: folder("data", "The data folder; default: DATA_DIR, or data"),
    port: text("port", "number", "The port to listen on; default: PORT, or 8787"),
    host: text("host", "address", "The address to listen on; default: HOST, or 127.0.0.1"),
    env: folder("env", "A file of NAME=value lines; default: nacre.env in the data folder")
  },
  () => Effect.void
).pipe(
  Command.withDescription(
    "Run a server on a machine of your own, with everything in a folder. Its options and variables: nacre serve --help"
  ),
  Command.withShortDescription("Run a server on a machine of your own")
)
