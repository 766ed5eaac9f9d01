import { make } from "../../src/layers/blobs/BlobStoreMemory.ts"
import * as EdgeCacheMemory from "../../src/layers/edge/EdgeCacheMemory.ts"
import { blobHandlersContract } from "./blobHandlers.contract.ts"

blobHandlersContract("a map", make())
blobHandlersContract("a map and a cache", make(), EdgeCacheMemory.make())
