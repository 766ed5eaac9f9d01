import * as Effect from "effect/Effect"
import type { BackupTargetShape } from "../../services/backups/BackupTarget.ts"
import * as BackupTargetMemory from "./BackupTargetMemory.ts"

/** A store that reads from another one and writes into memory, so a drill changes nothing. */
export const make = (from: Pick<BackupTargetShape, "name" | "get" | "list">): BackupTargetShape => {
  const own = BackupTargetMemory.make()
  return {
    name: `a copy of ${from.name}`,
    put: own.put,
    get: (key) =>
      Effect.flatMap(own.get(key), (found) =>
        found === undefined ? from.get(key) : Effect.succeed(found)
      ),
    list: from.list,
    delete: own.delete
  }
}
