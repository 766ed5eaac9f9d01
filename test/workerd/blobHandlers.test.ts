import * as Effect from "effect/Effect"
import { make } from "../../src/layers/BlobStoreR2.ts"
import * as EdgeCacheWorkers from "../../src/layers/EdgeCacheWorkers.ts"
import { EdgeCache } from "../../src/services/EdgeCache.ts"
import { blobHandlersContract } from "../contract/blobHandlers.suite.ts"
import { BLOBS } from "./world.ts"

const cache = Effect.runSync(Effect.provide(EdgeCache, EdgeCacheWorkers.layer))

blobHandlersContract("R2", make(BLOBS))
blobHandlersContract("R2 and the Worker's cache", make(BLOBS), cache)
