import * as Command from "effect/cli/Command"
import { backupCommands } from "./backups.ts"
import { drill } from "./drillBackup.ts"

/** `nacre backup`: the backups of a server. */
export const backup = Command.make("backup").pipe(
  Command.withDescription("Back up a server, list its backups, verify and try them"),
  Command.withSubcommands([...backupCommands, drill])
)
