import * as Effect from "effect/Effect"
import { EdgeCache } from "../../src/services/EdgeCache.ts"
import { layer } from "../../src/layers/EdgeCacheWorkers.ts"
import { edgeCacheContract } from "../contract/edgeCache.suite.ts"

edgeCacheContract("the Worker's cache", Effect.runSync(Effect.provide(EdgeCache, layer)))
