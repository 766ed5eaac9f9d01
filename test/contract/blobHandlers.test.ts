import { make } from "../../src/layers/BlobStoreMemory.ts"
import { blobHandlersContract } from "./blobHandlers.suite.ts"

blobHandlersContract("a map", make())
