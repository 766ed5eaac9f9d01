import { make } from "../../src/layers/blobs/BlobStoreMemory.ts"
import { blobStoreContract } from "./blobStore.contract.ts"

blobStoreContract("a map", (body) => body(make()))
