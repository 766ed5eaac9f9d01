import { runInDurableObject } from "cloudflare:test"
import * as SqlStorageDurable from "../../src/layers/SqlStorageDurable.ts"
import { importContract } from "../contract/importRepo.suite.ts"
import { ACCOUNT } from "./world.ts"

// An object without an account has an empty database.
importContract("in a Durable Object", (body) =>
  runInDurableObject(ACCOUNT.get(ACCOUNT.newUniqueId()), (_object, { storage }) =>
    body(SqlStorageDurable.layer(storage))
  )
)
