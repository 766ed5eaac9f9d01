import * as Layer from "effect/Layer"
import * as AppPasswordsSqlite from "../../src/layers/AppPasswordsSqlite.ts"
import * as SessionsSqlite from "../../src/layers/SessionsSqlite.ts"
import { configLayer, sqlLayer, storeLayer } from "../node/auth/support.ts"
import { appPasswordsContract } from "./appPasswords.suite.ts"

appPasswordsContract(
  "node:sqlite",
  Layer.mergeAll(storeLayer, AppPasswordsSqlite.layer).pipe(
    Layer.provideMerge(SessionsSqlite.layer),
    Layer.provideMerge(Layer.mergeAll(sqlLayer, configLayer))
  )
)
