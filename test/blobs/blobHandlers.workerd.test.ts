import * as Effect from "effect/Effect"
import { make } from "../../src/layers/blobs/BlobStoreR2.ts"
import * as EdgeCacheWorkers from "../../src/layers/edge/EdgeCacheWorkers.ts"
import { EdgeCache } from "../../src/services/edge/EdgeCache.ts"
import { blobHandlersContract } from "./blobHandlers.contract.ts"
import { BLOBS } from "../host/workerdWorld.ts"

const cache = Effect.runSync(Effect.provide(EdgeCache, EdgeCacheWorkers.layer))

blobHandlersContract("R2", make(BLOBS))
blobHandlersContract("R2 and the Worker's cache", make(BLOBS), cache)
