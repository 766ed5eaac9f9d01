import { make } from "../../src/layers/BlobStoreR2.ts"
import { blobStoreContract } from "../contract/blobStore.suite.ts"
import { BLOBS } from "./world.ts"

blobStoreContract("R2", (body) => body(make(BLOBS)))
