import { randomBytes } from "node:crypto"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import { accountApp } from "./http/account.ts"
import * as BackupTargetDrill from "./layers/backups/BackupTargetDrill.ts"
import * as BackupTargetHttp from "./layers/backups/BackupTargetHttp.ts"
import * as Memory from "./layers/Memory.ts"
import { drill } from "./services/backups/drill/drill.ts"

/** Restores the newest backup of a server into a server in memory, and compares; nothing of the server is changed. */
export const drillOf = ({
  server,
  authorization,
  masterKey
}: {
  readonly server: string
  /** The administrator's, for the routes of backups. */
  readonly authorization: string
  /** The server's `MASTER_KEY`. */
  readonly masterKey: string
}) =>
  Effect.gen(function* () {
    const env = {
      PUBLIC_URL: server,
      MASTER_KEY: masterKey,
      // Nobody calls this server, and it calls nobody.
      ADMIN_PASSWORD: randomBytes(18).toString("base64url"),
      PLC_ROTATION_KEY: randomBytes(32).toString("hex"),
      RELAYS: "none",
      LOG_LEVEL: "none"
    }
    const backups = BackupTargetDrill.make(BackupTargetHttp.make(server, authorization))
    const { services } = yield* Memory.make(accountApp, env, { backups })
    return yield* Effect.provide(drill(), yield* Layer.build(services))
  }).pipe(Effect.scoped)
