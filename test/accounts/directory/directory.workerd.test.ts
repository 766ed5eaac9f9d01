import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as DirectoryD1 from "../../../src/layers/accounts/DirectoryD1.ts"
import * as HostDatabaseD1 from "../../../src/layers/host/sql/HostDatabaseD1.ts"
import { directoryContract } from "./directory.contract.ts"
import { DIRECTORY } from "../../host/workerdWorld.ts"

const tables = ["accounts", "invites", "invite_uses", "edge"]

// The first query of each test finds no tables and creates them.
const emptied = Layer.effectDiscard(
  Effect.promise(() =>
    DIRECTORY.batch(tables.map((table) => DIRECTORY.prepare(`DROP TABLE IF EXISTS ${table}`)))
  )
)

directoryContract("D1", () =>
  DirectoryD1.layer.pipe(
    Layer.provide(HostDatabaseD1.layer(DIRECTORY).pipe(Layer.provide(emptied)))
  )
)
