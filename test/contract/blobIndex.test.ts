import { make, open } from "../../src/layers/SqlStorageNode.ts"
import { blobIndexContract } from "./blobIndex.suite.ts"

blobIndexContract("node:sqlite", async (body) => {
  const database = open(":memory:")
  try {
    body(make(database))
  } finally {
    database.close()
  }
})
