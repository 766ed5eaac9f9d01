import * as Effect from "effect/Effect"
import * as Command from "effect/cli/Command"

/** `nacre dev`, for the list of commands: the program runs the local server before it gets here. */
export const dev = Command.make("dev", {}, () => Effect.void).pipe(
  Command.withDescription(
    "Run the server on this machine. Its options and variables: nacre dev --help"
  ),
  Command.withShortDescription("Run the server on this machine")
)
