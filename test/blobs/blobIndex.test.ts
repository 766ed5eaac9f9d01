import { make, open } from "../../src/layers/host/sql/SqlStorageNode.ts"
import { blobIndexContract } from "./blobIndex.contract.ts"
import type { WithStorage } from "./blobIndex.fixture.ts"
import { unconfirmedContract } from "./unconfirmed.contract.ts"

const withStorage: WithStorage = async (body) => {
  const database = open(":memory:")
  try {
    body(make(database))
  } finally {
    database.close()
  }
}

blobIndexContract("node:sqlite", withStorage)
unconfirmedContract("node:sqlite", withStorage)
