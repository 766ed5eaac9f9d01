import { env } from "cloudflare:test"
import { make } from "../../src/layers/BlobStoreR2.ts"
import { blobHandlersContract } from "../contract/blobHandlers.suite.ts"

// SAFETY: wrangler.toml binds the bucket under this name.
const { BLOBS } = env as unknown as { readonly BLOBS: R2Bucket }

blobHandlersContract("R2", make(BLOBS))
