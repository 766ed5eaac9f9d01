import { runInDurableObject } from "cloudflare:test"
import * as BlockStoreSqlite from "../../src/layers/repo/BlockStoreSqlite.ts"
import * as SqlStorageDurable from "../../src/layers/host/sql/SqlStorageDurable.ts"
import { repoContract } from "./repo.contract.ts"
import { ACCOUNT } from "../host/workerdWorld.ts"

// An object without an account has an empty database.
repoContract(
  "tree in clusters of a Durable Object",
  (body) =>
    runInDurableObject(ACCOUNT.get(ACCOUNT.newUniqueId()), (_object, { storage }) =>
      body(SqlStorageDurable.layer(storage))
    ),
  BlockStoreSqlite.layer
)
