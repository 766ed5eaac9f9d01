import * as Layer from "effect/Layer"
import * as PreferencesSqlite from "../../src/layers/PreferencesSqlite.ts"
import { sqlLayer, storeLayer } from "../node/auth/support.ts"
import { preferencesContract } from "./preferences.suite.ts"

preferencesContract(
  "node:sqlite",
  Layer.mergeAll(storeLayer, PreferencesSqlite.layer).pipe(Layer.provideMerge(sqlLayer))
)
