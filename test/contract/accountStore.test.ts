import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import { AccountStore } from "../../src/services/AccountStore.ts"
import { sqlLayer, storeLayer } from "../node/auth/support.ts"
import { accountStoreContract } from "./accountStore.suite.ts"

accountStoreContract(
  "node:sqlite",
  storeLayer.pipe(Layer.provideMerge(sqlLayer)),
  Effect.provide(AccountStore, Layer.fresh(storeLayer))
)
