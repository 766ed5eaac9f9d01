import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as HostDatabaseD1 from "../../../src/layers/host/sql/HostDatabaseD1.ts"
import { permissionSetsContract } from "./permissionSets.contract.ts"
import { DIRECTORY } from "../../host/workerdWorld.ts"

// The first query of each test finds no table and creates it.
const emptied = Layer.effectDiscard(
  Effect.promise(() => DIRECTORY.prepare("DROP TABLE IF EXISTS included_set").run())
)

permissionSetsContract("D1", () =>
  Layer.fresh(HostDatabaseD1.layer(DIRECTORY)).pipe(Layer.provide(Layer.fresh(emptied)))
)
