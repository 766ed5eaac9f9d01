import { make, open } from "../../src/layers/host/sql/SqlStorageNode.ts"
import { blobIndexContract } from "./blobIndex.contract.ts"

blobIndexContract("node:sqlite", async (body) => {
  const database = open(":memory:")
  try {
    body(make(database))
  } finally {
    database.close()
  }
})
