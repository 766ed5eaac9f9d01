import { make } from "../../src/layers/BlobStoreMemory.ts"
import { blobStoreContract } from "./blobStore.suite.ts"

blobStoreContract("a map", (body) => body(make()))
