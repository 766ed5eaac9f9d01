import { runInDurableObject } from "cloudflare:test"
import * as BlockStoreSqlite from "../../src/layers/BlockStoreSqlite.ts"
import * as SqlStorageDurable from "../../src/layers/SqlStorageDurable.ts"
import { repoContract } from "../contract/repo.suite.ts"
import { ACCOUNT } from "./world.ts"

// An object without an account has an empty database.
repoContract(
  "tree in clusters of a Durable Object",
  (body) =>
    runInDurableObject(ACCOUNT.get(ACCOUNT.newUniqueId()), (_object, { storage }) =>
      body(SqlStorageDurable.layer(storage))
    ),
  BlockStoreSqlite.layer
)
