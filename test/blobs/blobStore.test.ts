import { mkdtempSync, rmSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { make } from "../../src/layers/blobs/BlobStoreMemory.ts"
import * as BlobStoreFiles from "../../src/layers/blobs/BlobStoreFiles.ts"
import { blobStoreContract } from "./blobStore.contract.ts"

blobStoreContract("a map", (body) => body(make()))

blobStoreContract("files", async (body) => {
  const folder = mkdtempSync(join(tmpdir(), "nacre-blobs-"))
  try {
    await body(BlobStoreFiles.make(folder))
  } finally {
    rmSync(folder, { recursive: true, force: true })
  }
})
