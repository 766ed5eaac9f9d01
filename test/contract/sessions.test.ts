import * as Layer from "effect/Layer"
import * as SessionsSqlite from "../../src/layers/SessionsSqlite.ts"
import { configLayer, sqlLayer, storeLayer } from "../node/auth/support.ts"
import { sessionsContract } from "./sessions.suite.ts"

sessionsContract(
  "node:sqlite",
  Layer.mergeAll(storeLayer, SessionsSqlite.layer).pipe(
    Layer.provideMerge(Layer.mergeAll(sqlLayer, configLayer))
  )
)
