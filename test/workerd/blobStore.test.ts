import { env } from "cloudflare:test"
import { make } from "../../src/layers/BlobStoreR2.ts"
import { blobStoreContract } from "../contract/blobStore.suite.ts"

// SAFETY: wrangler.toml binds the bucket under this name.
const { BLOBS } = env as unknown as { readonly BLOBS: R2Bucket }

blobStoreContract("R2", (body) => body(make(BLOBS)))
