import { make } from "../../src/layers/BlobStoreR2.ts"
import { blobHandlersContract } from "../contract/blobHandlers.suite.ts"
import { BLOBS } from "./world.ts"

blobHandlersContract("R2", make(BLOBS))
