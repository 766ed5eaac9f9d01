import { make } from "../../src/layers/BlobStoreMemory.ts"
import * as EdgeCacheMemory from "../../src/layers/EdgeCacheMemory.ts"
import { blobHandlersContract } from "./blobHandlers.suite.ts"

blobHandlersContract("a map", make())
blobHandlersContract("a map and a cache", make(), EdgeCacheMemory.make())
